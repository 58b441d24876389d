"""What is stored: nouns. Only `workflows` change stored data, and every change is a `Change`."""

from models.base import db
from models.change import ChainHead, Change, ChangeEntries
from models.data import Draft, FormData, StoredFile
from models.export import Export
from models.people import Grant, SignInAttempt, SignInSession, User
from models.study import Site, Study, StudyVersion
from models.subject import StudyEvent, Subject

__all__ = [
    "ChainHead",
    "Change",
    "ChangeEntries",
    "Draft",
    "Export",
    "FormData",
    "Grant",
    "SignInAttempt",
    "SignInSession",
    "Site",
    "StoredFile",
    "Study",
    "StudyEvent",
    "StudyVersion",
    "Subject",
    "User",
    "db",
]
