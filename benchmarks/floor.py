"""The least that does the same job: Flask, WTForms and Jinja with a login session, CSRF and 40 audit rows a save.

No checks, skip logic, reasons, roles, sites, languages, hashes or visits.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Flask, redirect, render_template_string, request
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import event, insert
from wtforms import DateField, DecimalField, IntegerField, SelectField, StringField
from wtforms.validators import Length, Optional

from benchmarks.design import ITEMS, kind_of

FIELDS = {
    "number": lambda label: DecimalField(label, validators=[Optional()]),
    "code": lambda label: SelectField(label, choices=[("", ""), ("Y", "Yes"), ("N", "No")]),
    "text": lambda label: StringField(label, validators=[Length(max=200)]),
    "date": lambda label: DateField(label, validators=[Optional()]),
    "integer": lambda label: IntegerField(label, validators=[Optional()]),
}
PAGE = """<!doctype html><html lang="en"><head><title>Form</title></head><body>
<form method="post">{{ form.csrf_token }}
{% for field in fields %}<div>{{ field.label }} {{ field }}{% for e in field.errors %}<p>{{ e }}</p>{% endfor %}</div>
{% endfor %}<button>Save</button></form></body></html>"""

db = SQLAlchemy()
NAMES = [f"I{number:02}" for number in range(ITEMS)]
Fields: Any = type("Fields", (FlaskForm,), {name: FIELDS[kind_of(n)](f"Item {n}") for n, name in enumerate(NAMES)})


class Document(db.Model):
    """One form, one column of JSON."""

    id = db.Column(db.Integer, primary_key=True)
    answers = db.Column(db.JSON, nullable=False)


class Audit(db.Model):
    """One row per value that changed."""

    id = db.Column(db.Integer, primary_key=True)
    document_id = db.Column(db.Integer, index=True)
    item = db.Column(db.Text)
    old = db.Column(db.Text)
    new = db.Column(db.Text)
    by = db.Column(db.Text)
    at = db.Column(db.Text)


class Person(UserMixin):
    """Whoever signs in."""

    def __init__(self, name: str) -> None:
        self.id = name


def create(url: str) -> Flask:
    """The minimal application on a database."""
    app = Flask("floor")
    app.config.update(SECRET_KEY="floor", SQLALCHEMY_DATABASE_URI=url)
    db.init_app(app)
    CSRFProtect(app)
    LoginManager(app).user_loader(Person)
    app.add_url_rule("/sign-in", view_func=sign_in, methods=["GET", "POST"])
    app.add_url_rule("/form/<int:number>", view_func=form_page, methods=["GET", "POST"])
    with app.app_context():
        if url.startswith("sqlite"):
            event.listen(db.engine, "connect", _prepare)
        db.create_all()
        db.engine.dispose()
    return app


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {pragma}")


def sign_in() -> ResponseReturnValue:
    """Take any name; the password costs nothing here."""
    if request.method == "POST":
        login_user(Person(request.form["username"]))
        return redirect("/form/1", 303)
    return render_template_string("<form>{{ form.csrf_token }}</form>", form=FlaskForm())


@login_required
def form_page(number: int) -> ResponseReturnValue:
    """Show and save the form."""
    document = db.session.get(Document, number)
    old = document.answers if document else {}
    form = Fields() if request.method == "POST" else Fields(data=None)
    if request.method == "POST" and form.validate():
        answers = {name: str(form[name].data) for name in NAMES}
        if document is None:
            db.session.add(Document(id=number, answers=answers))
        else:
            document.answers = answers
        at = datetime.now(UTC).isoformat()
        db.session.execute(
            insert(Audit),
            [
                {"document_id": number, "item": name, "old": old.get(name), "new": new, "by": current_user.id, "at": at}
                for name, new in answers.items()
                if old.get(name) != new
            ],
        )
        db.session.commit()
        return redirect(request.path, 303)
    if request.method == "GET":
        for name in NAMES:
            form[name].raw_data = [old.get(name, "")]
            form[name].data = old.get(name, "") if kind_of(NAMES.index(name)) in ("code", "text") else None
    return render_template_string(PAGE, form=form, fields=[form[name] for name in NAMES])
