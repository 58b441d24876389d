"""What is stored: nouns. Only `workflows` change stored data, and every change is a `Change`."""

from models.amendment import Activation, AmendmentRun, Deviation
from models.base import db
from models.change import ChainHead, Change, ChangeEntries
from models.data import Draft, FormData, StoredFile
from models.export import DataCut, Export
from models.job import Job
from models.people import FormerPassword, Grant, SecurityEvent, SignInAttempt, SignInSession, User
from models.query import Query, QueryMessage
from models.review import (
    Delegation,
    MonitoringVisit,
    Review,
    SdvPlan,
    Signature,
    SignedForm,
    TrailReview,
    UnlockRequest,
)
from models.study import Site, Study, StudyVersion
from models.subject import StudyEvent, Subject

__all__ = [
    "Activation",
    "AmendmentRun",
    "ChainHead",
    "Change",
    "ChangeEntries",
    "DataCut",
    "Delegation",
    "Deviation",
    "Draft",
    "Export",
    "FormData",
    "FormerPassword",
    "Grant",
    "Job",
    "MonitoringVisit",
    "Query",
    "QueryMessage",
    "Review",
    "SdvPlan",
    "SecurityEvent",
    "SignInAttempt",
    "SignInSession",
    "Signature",
    "SignedForm",
    "Site",
    "StoredFile",
    "Study",
    "StudyEvent",
    "StudyVersion",
    "Subject",
    "TrailReview",
    "UnlockRequest",
    "User",
    "db",
]
