"""Rows of the product, one noun a file."""

from chat.models.activity import AT_WORK, Activity, ActivityState, Consent
from chat.models.ask import Ask, AskState
from chat.models.attachment import Attachment
from chat.models.comparison import FEWEST, MOST, Comparison, Outcome, Vote
from chat.models.conversation import TITLE_LENGTH, Conversation, Overflow
from chat.models.cut import Cut, CutKind
from chat.models.generation import ACTIVE, Generation, Status
from chat.models.imports import Import, ImportStatus, Origin
from chat.models.internet import Internet, SearchEngine
from chat.models.mcp_server import McpKind, McpServer, McpState
from chat.models.message import Message, MessageRole
from chat.models.notice import Notice
from chat.models.outside_contact import OutsideContact
from chat.models.project import Project
from chat.models.project_revision import ProjectRevision, Told
from chat.models.sampling_preset import PRESET_NAME_LENGTH, SamplingPreset
from chat.models.search_entry import SearchEntry
from chat.models.step import Step
from chat.models.stored_text import StoredText
from chat.models.submission import Submission
from chat.models.system_prompt import LONGEST_PROMPT, SystemPrompt
from chat.models.tag import TAG_LENGTH, Tag
from chat.models.text_index import TextIndex
from chat.models.tool_policy import ToolPolicy, ToolRule, Verdict
from chat.models.upcoming import UpcomingQuestion

__all__ = [
    "ACTIVE",
    "AT_WORK",
    "FEWEST",
    "LONGEST_PROMPT",
    "MOST",
    "PRESET_NAME_LENGTH",
    "TAG_LENGTH",
    "TITLE_LENGTH",
    "Activity",
    "ActivityState",
    "Ask",
    "AskState",
    "Attachment",
    "Comparison",
    "Consent",
    "Conversation",
    "Cut",
    "CutKind",
    "Generation",
    "Import",
    "ImportStatus",
    "Internet",
    "McpKind",
    "McpServer",
    "McpState",
    "Message",
    "MessageRole",
    "Notice",
    "Origin",
    "Outcome",
    "OutsideContact",
    "Overflow",
    "Project",
    "ProjectRevision",
    "SamplingPreset",
    "SearchEngine",
    "SearchEntry",
    "Status",
    "Step",
    "StoredText",
    "Submission",
    "SystemPrompt",
    "Tag",
    "TextIndex",
    "Told",
    "ToolPolicy",
    "ToolRule",
    "UpcomingQuestion",
    "Verdict",
    "Vote",
]
