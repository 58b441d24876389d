"""The session of a browser: Flask's dictionary, kept on the server under the hash of a random token
(SEC-12).
"""

from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, g, request
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from views import devices
from workflows import sessions

WITHOUT_SESSION = ("/static/", "/healthz")


class StoredSession(CallbackDict[str, Any], SessionMixin):
    """What is remembered about a browser. `renew()` gives it a new token: at sign-in and at sign-out."""

    def __init__(self, initial: dict[str, Any] | None = None, token: str | None = None) -> None:
        def mark(_: Any) -> None:
            self.modified = True

        super().__init__(initial, mark)
        self.token = token
        self.former: str | None = None
        self.stored: sessions.Stored | None = None
        self.modified = False

    def renew(self) -> None:
        """Forget everything, and end the row of the old token: whoever knew it holds nothing."""
        self.clear()
        self.former, self.token, self.stored = self.token or self.former, None, None
        self.modified = True


class StoredSessions(SessionInterface):
    """Opens the stored session of a request and stores it again after the response is made."""

    serializer = TaggedJSONSerializer()

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        """The session that the cookie names; an empty one when there is none or it has ended."""
        token = request.cookies.get(self.get_cookie_name(app))
        if not token or request.path.startswith(WITHOUT_SESSION):
            return StoredSession()
        idle, absolute = limits(app)
        found = sessions.find(token, idle, absolute)
        if found is None:
            g.session_ended, g.ended_token = True, token
            return StoredSession()
        opened = StoredSession(self.serializer.loads(found.data), token)
        opened.stored = found
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed; set the cookie when the token is new; drop it when nothing is left."""
        assert isinstance(session, StoredSession)
        if session.former is not None:
            sessions.end(session.former)
        if session.token is None and not session:
            if session.former is not None:
                response.delete_cookie(self.get_cookie_name(app), secure=self.get_cookie_secure(app), httponly=True)
            return
        if session.token is None:
            self._begin(app, session, response)
        elif session.modified:
            sessions.keep(session.token, self._user_id(session), self.serializer.dumps(dict(session)))
        elif session.stored is not None:
            sessions.touch(session.token, session.stored.seen_at)

    def _begin(self, app: Flask, session: StoredSession, response: Response) -> None:
        sessions.forget_ended(*limits(app))
        session.token = sessions.new_token()
        content = self.serializer.dumps(dict(session))
        device, address = devices.device_of(request.user_agent.string), devices.shortened(request.remote_addr)
        sessions.begin(session.token, self._user_id(session), content, device, address)
        response.set_cookie(
            self.get_cookie_name(app),
            session.token,
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite="Lax",
        )

    @staticmethod
    def _user_id(session: SessionMixin) -> int | None:
        found = session.get("_user_id")
        return None if found is None else int(found)


def limits(app: Flask) -> tuple[timedelta, timedelta]:
    """How long a session lasts without activity, and at most (SEC-13)."""
    settings = app.config["SETTINGS"]
    return timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.absolute_hours)
