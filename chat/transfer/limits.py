"""How much a file may hold. Whoever has more gets a sentence that says what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _

MEGABYTE = 1024 * 1024

#: Bytes of a file that is sent.
LARGEST_FILE = 2048 * MEGABYTE
#: Bytes of all JSON in it, unpacked. Stops a zip bomb, whatever its members say of themselves.
LARGEST_TOTAL = 768 * MEGABYTE
#: Bytes of all files of messages in it, unpacked, and of one of them, as of one that is attached.
LARGEST_FILES = 4096 * MEGABYTE
LARGEST_ATTACHED = 40 * MEGABYTE
#: Files of one conversation, and characters of their texts, which are all in memory at once.
MOST_ATTACHED = 2_000
LONGEST_TEXTS = 40_000_000
#: Bytes of one conversation; as Python objects they take about six times as much.
LARGEST_ITEM = 32 * MEGABYTE
#: Bytes of a zip's table of contents, about 40,000 members. It is read whole.
LARGEST_DIRECTORY = 4 * MEGABYTE
#: Members of a zip that are looked into.
MOST_MEMBERS = 5_000
#: Levels of JSON inside a conversation; Python's own reader gives up at about 900.
DEEPEST_JSON = 500
#: Conversations of one file, and messages of one conversation.
MOST_CONVERSATIONS = 50_000
MOST_MESSAGES = 50_000


class BadFile(Exception):
    """The file cannot be imported at all; the message says what to do."""


def too_large() -> BadFile:
    """More bytes than the hub takes."""
    return BadFile(
        _(
            "This file is too large: it may have %(file)d MB, and %(total)d MB unpacked. "
            "Import it in parts: unpack it and send its files one by one."
        )
        % {"file": LARGEST_FILE // MEGABYTE, "total": LARGEST_TOTAL // MEGABYTE}
    )


def not_json() -> BadFile:
    """Neither JSON nor a zip."""
    return BadFile(
        _(
            "This file is neither JSON nor a zip with JSON inside, or it is damaged. "
            "Download the export again and send it as it is."
        )
    )


def nothing_known() -> BadFile:
    """No conversation in it."""
    return BadFile(
        _(
            "No conversations were found in this file. Send an export of this hub, of its app, of ChatGPT, "
            "Claude, Open WebUI or LibreChat, as a .zip or .json file."
        )
    )


def damaged_zip() -> BadFile:
    """A zip that cannot be read."""
    return BadFile(_("This zip file is damaged. Download the export again and send it as it is."))


def locked_zip() -> BadFile:
    """A zip with a password."""
    return BadFile(
        _("This zip file is locked with a password. Unpack it and send the .json files that are in it.")
    )


def too_many_members() -> BadFile:
    """A zip with more members than any export has."""
    return BadFile(
        _("This zip file holds too many files. Unpack it and send the .json files with conversations.")
    )
