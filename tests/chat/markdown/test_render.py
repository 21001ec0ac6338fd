"""What finished Markdown looks like."""

from __future__ import annotations

import pytest

from chat.markdown import code, render, render_user
from tests.chat.markdown.dom import Element, parse

LINK = 'rel="noopener noreferrer nofollow" target="_blank"'


def find(html: str, tag: str) -> Element:
    return next(element for element in parse(html).walk() if element.tag == tag)


def test_a_paragraph_finds_its_own_direction() -> None:
    assert render("שלום *you*") == '<p dir="auto">שלום <em>you</em></p>'


@pytest.mark.parametrize(("level", "tag"), [(1, "h3"), (2, "h4"), (4, "h6"), (6, "h6")])
def test_headings_stand_below_those_of_the_page(level: int, tag: str) -> None:
    assert render("#" * level + " Title") == f'<{tag} dir="auto">Title</{tag}>'


def test_an_underlined_heading_is_one_too() -> None:
    assert render("Title\n===") == '<h3 dir="auto">Title</h3>'


def test_a_line_end_in_an_answer_is_only_a_space() -> None:
    assert render("a\nb") == '<p dir="auto">a\nb</p>'


def test_a_line_end_that_a_person_typed_stays() -> None:
    assert render_user("a\nb") == '<p dir="auto">a<br>\nb</p>'


def test_html_is_shown_not_obeyed() -> None:
    assert render("<b>x</b>") == '<p dir="auto">&lt;b&gt;x&lt;/b&gt;</p>'


def test_what_is_crossed_out_is_crossed_out() -> None:
    assert "<s>old</s>" in render("~~old~~ new")


def test_tasks_have_boxes_that_nobody_can_tick() -> None:
    html = render("- [x] done\n- [ ] open")
    assert html.count('disabled=""') == 2
    assert html.count('checked=""') == 1


def test_a_table_scrolls_in_its_own_box() -> None:
    html = render("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert html.startswith('<div class="table-scroll" tabindex="0"><table>')
    assert '<td class="align-right" dir="auto">2</td>' in html
    assert "style=" not in html


def test_a_bare_address_becomes_a_link() -> None:
    assert f'<a href="https://example.org/a_b" {LINK}>https://example.org/a_b</a>.' in render(
        "https://example.org/a_b."
    )


@pytest.mark.parametrize("name", ["manage.py", "main.rs", "README.md", "example.org"])
def test_a_file_name_is_no_address(name: str) -> None:
    assert "<a " not in render(f"Open {name} now")


@pytest.mark.parametrize("target", ["/logout", "#top", "../x", "ftp://example.org", "javascript:alert(1)"])
def test_only_web_and_mail_addresses_are_linked(target: str) -> None:
    assert "<a " not in render(f"[x]({target})")


def test_code_has_a_name_a_button_and_classes() -> None:
    html = render("```python title=x\ndef f(): pass\n```")
    assert find(html, "figure").attributes == {"class": "code", "data-language": "python"}
    assert find(html, "figcaption").text() == "Python Copy"
    assert find(html, "button").attributes["data-action"] == "copy-code"
    assert '<span class="k">def</span>' in html
    assert find(html, "code").text() == "def f(): pass"


def test_code_in_an_unknown_language_is_plain() -> None:
    html = render("```klingon\nnuqneH <b>\n```")
    assert find(html, "figcaption").text() == "klingon Copy"
    assert "<code>nuqneH &lt;b&gt;\n</code>" in html


def test_blank_lines_of_code_stay() -> None:
    assert "<code>\n\na\n\n</code>" in render("```\n\n\na\n\n```")


def test_huge_code_is_plain() -> None:
    assert "<span class" not in code.highlight("x = 1\n" * 20_000, code.lexer_for("python"))


@pytest.mark.parametrize(
    "text",
    [
        "$x^2$",
        "\\(x^2\\)",
        "$$x^2$$",
        "\\[x^2\\]",
        "$$\nx^2\n$$",
        "\\[\nx^2\n\\]",
        "so\n\\[\nx\n=\ny\n\\]\nok",
    ],
)
def test_formulas_become_mathml(text: str) -> None:
    assert find(render(text), "math")


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        "it costs $5",
        "$5/$10",
        "US$5 or US$7",
        "$ x $",
        "\\$x\\$",
        "`$x$`",
        "$HOME and then $PATH",
        "a $$ b",
    ],
)
def test_money_and_variables_are_no_formulas(text: str) -> None:
    assert "<math" not in render(text)


def test_a_formula_between_lines_is_a_block() -> None:
    assert 'display="block"' in render("$$\na\n$$")
    assert 'display="inline"' in render("so $a$ it is")


@pytest.mark.parametrize(
    "latex",
    [
        "\\frac{",
        "\\left( x",
        "\\nonsense{",
        "{" * 500 + "}" * 500,
        "x_" * 900,
        "\\begin{matrix}",
        "x" * 1_999,
        "\\",
        "^",
        "&",
    ],
)
def test_a_formula_that_cannot_be_drawn_is_shown_as_source(latex: str) -> None:
    html = render(f"$$\n{latex}\n$$")
    assert "<math" in html or latex.strip() in parse(html).text()


def test_the_text_of_a_formula_is_escaped() -> None:
    assert "<mtext>&lt;b&gt;</mtext>" in render("$\\text{<b>}$")


def test_deep_nesting_ends_somewhere() -> None:
    assert render("> " * 500 + "deep").count("<blockquote") < 100
    assert render("- " * 500 + "deep").count("<ul") < 100


@pytest.mark.parametrize("text", ["", "\n", " ", "\0", "\ue000", "\r\n\r", "\ufeff", "\u2028"])
def test_nothing_is_too_little(text: str) -> None:
    assert isinstance(render(text), str)
