"""The form of a Deployment, made from the spec. It holds no rule of its own: `spec.py` decides."""

import re
import uuid
from collections.abc import Collection
from typing import Any, Literal, get_args, get_origin

from django import forms
from pydantic.fields import FieldInfo

from deployments import services
from deployments import spec as specs
from deployments.choices import DriftPolicy
from deployments.forms.reason import ReasonField
from deployments.forms.seen import LOST, SeenForm
from deployments.forms.text import READERS, as_text, has_lines, lines_of, read_scalar, words
from deployments.models import Deployment, Project, SecretValue
from deployments.models.deployment import deployment_name
from deployments.models.secret import MAX_SECRET_CHARS, MAX_SECRETS_CHARS
from deployments.runtimes import RUNTIMES
from deployments.spec import Problem, Spec

SECTIONS = {
    "name": "Name",
    "llm": "LLM and runtime",
    "hardware": "Hardware",
    "scaling": "Scaling",
    "exposure": "Exposure",
    "environment": "Environment and files",
}
SUGGESTED = {"gpu_type": "gpu-types"}  # the page holds a <datalist> of this id
SELDOM = {
    "command", "gpu_resource", "cpu_limit", "memory_limit", "shared_memory", "node_selector", "startup_seconds",
    "drift_policy", "health_path", "files",
}  # folded away  # fmt: skip
NOT_IN_THE_FORM = {"version", "running", "restarted_at"}
NAME_RULE = "Lower-case letters, digits and dashes; begins with a letter, does not end with a dash; at most 50."
FROM = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,254})\s*<-\s*([A-Za-z0-9_][-A-Za-z0-9_.]{0,252})")
ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,254}"
CHOICE_LABELS = {
    "runtime": {name: runtime.label for name, runtime in RUNTIMES.items()},
    "service_type": {
        "ClusterIP": "Inside the cluster (ClusterIP)",
        "NodePort": "A port of every node (NodePort)",
        "LoadBalancer": "From outside (LoadBalancer)",
    },
}
HELP = {
    "env": "One NAME=value on a line. A NAME alone keeps its value of several lines.",
    "args": "One on a line. What holds line breaks is a JSON string.",
    "files": "Each file begins with a line === /path/in/the/container; its content follows.",
}


def seen(info: FieldInfo) -> dict[str, Any]:
    """The section and unit of a parameter."""
    extra: Any = info.json_schema_extra or {"section": "", "unit": ""}
    return dict(extra)


def field_of(name: str, info: FieldInfo) -> forms.Field:
    """The form field of one parameter, by its type; empty means the spec's default."""
    kind = info.annotation
    common: dict[str, Any] = {
        "label": info.title,
        "help_text": HELP.get(name, info.description or ""),
        "required": False,
    }
    if get_origin(kind) is Literal:
        labels = CHOICE_LABELS.get(name, {})
        return forms.ChoiceField(choices=[(value, labels.get(value, value)) for value in get_args(kind)], **common)
    if int in (kind, *get_args(kind)):
        bounds = {type(rule).__name__: rule for rule in info.metadata}
        low, high = getattr(bounds.get("Ge"), "ge", None), getattr(bounds.get("Le"), "le", None)
        widget = forms.NumberInput(attrs={"min": low, "max": high, "inputmode": "numeric"})
        return forms.CharField(widget=widget, **common)
    if get_origin(kind) in (list, dict):
        rows = 6 if name in ("env", "files") else 3
        return forms.CharField(
            widget=forms.Textarea(attrs={"rows": rows, "spellcheck": "false"}), strip=False, **common
        )
    if name in SUGGESTED:
        return forms.CharField(widget=forms.TextInput(attrs={"list": SUGGESTED[name], "autocomplete": "off"}), **common)
    return forms.CharField(**common)


def bounded(field: forms.Field, name: str) -> None:
    """Say how much this installation allows, which the spec does not know."""
    most = services.limits().get(name)
    if most is not None:
        field.widget.attrs["max"] = most
        field.help_text = f"{field.help_text} At most {most} here.".strip()


class SecretLines(forms.Textarea):
    """NAME=value lines that never go back to the browser with their values, not even beside a mistake. A NAME alone
    is one of `stored`."""

    stored: Collection[str] = ()

    def format_value(self, value: Any) -> str:
        """The names; those that were typed with a value end with =, which alone is refused."""
        return "\n".join(name + sign for name, sign in self.names(str(value or "")))

    def names(self, text: str) -> list[tuple[str, str]]:
        """(name, "=" or "") of each line, up to the first one that may be a piece of a value: who pastes a value of
        several lines has typed no names after the first."""
        found = []
        for line in filter(str.strip, lines_of(text)):
            name, sign, value = (part.strip() for part in line.partition("="))
            if arrow := FROM.fullmatch(line.strip()):
                found.append((arrow[0], ""))
                continue
            is_one = value.strip("=") or (name.isupper() and not value) if sign else name in self.stored
            if not (is_one and re.fullmatch(ENV_NAME, name)):
                break
            found.append((name, sign))
        return found


class DeploymentForm(SeenForm):
    """Create (with project and name) or edit (with reason). `cleaned_data["spec"]` is the Spec."""

    project = forms.ModelChoiceField(Project.objects.none(), empty_label=None)
    # Without max_length, by which a browser would cut a name that is too long.
    name = forms.CharField(validators=[deployment_name], help_text=NAME_RULE)
    drift_policy = forms.ChoiceField(
        label="When others change it", choices=DriftPolicy.pairs(), initial=DriftPolicy.HEAL, required=False
    )
    reason = ReasonField(label="Reason (optional)")
    idempotency_key = forms.CharField(max_length=200, widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, projects: Any = None, before: Spec | None = None, project: Project | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        initial = kwargs.pop("initial", {}) | {"idempotency_key": uuid.uuid4().hex}
        kwargs["initial"] = initial | (as_text(before) if before else as_text(None))
        super().__init__(*args, **kwargs)
        self.before, self.place = before, project
        self.shown: dict[str, Any] = as_text(before)
        self.plain = 0
        for name, info in Spec.model_fields.items():
            if name not in NOT_IN_THE_FORM:
                self.fields[name] = field_of(name, info)
                bounded(self.fields[name], name)
                self.fields[name].unit = seen(info)["unit"]  # type: ignore[attr-defined]  # for the template
        self.secret_lines = SecretLines(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"})
        self.secret_lines.stored = self._stored()
        self.fields["secret_env"] = forms.CharField(
            label="Secret environment", required=False, strip=False,
            widget=self.secret_lines,
            help_text="One on a line: NAME=value, NAME <- secret for the newest version of one of the project, or NAME "
            "alone to keep what is stored. Nobody can read a value again.",
        )  # fmt: skip
        if before is None:
            self.fields["project"].queryset = projects  # type: ignore[attr-defined]
        else:
            for name in ("project", "name", "drift_policy"):
                del self.fields[name]
            del self.fields["runtime"]

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The visible fields by section, in the spec's order; those seldom needed apart, with whether they are seen."""
        places = {name: seen(info)["section"] for name, info in Spec.model_fields.items()}
        places = dict.fromkeys(("project", "name", "reason"), "name") | places
        places |= {"secret_env": "environment", "drift_policy": "scaling"}
        shown = [(name, section) for name, section in places.items() if name in self.fields]
        found = []
        for key, title in SECTIONS.items():
            names = [name for name, section in shown if section == key]
            seldom = [self[name] for name in names if name in SELDOM]
            fields = [self[name] for name in names if name not in SELDOM]
            opened = any(self._matters(field) for field in seldom)
            found.append({"key": key, "title": title, "fields": fields, "seldom": seldom, "open": opened})
        return found

    def _matters(self, field: forms.BoundField) -> bool:
        """Whether a field must be seen at once: it is wrong, or holds something else than what it has by itself."""
        usual = as_text(None).get(field.name, field.field.initial)
        return bool(field.errors) or words(field.value()) != words(usual)

    @property
    def runtime_label(self) -> str:
        """What the chosen runtime is called."""
        name = self.before.runtime if self.before else str(self["runtime"].value())
        return RUNTIMES[name].label if name in RUNTIMES else name

    def clean(self) -> dict[str, Any]:
        """Read the text fields, let the spec judge, and put each problem beside its field."""
        data = super().clean()
        if self.before and data.get("if_revision") is None and not self.non_field_errors():
            self.add_error(None, LOST)
        names = [name for name in Spec.model_fields if name in self.fields and name != "env"]
        fields = {name: read for name in names if (read := self._read(name)) is not None}
        kept: dict[str, Any] = {}
        if self.before:
            kept = {name: getattr(self.before, name) for name in (*NOT_IN_THE_FORM, "runtime")}
        fields["env"], data["secret_values"] = self._read_env()
        self.show(services.problems_of(kept | fields, specs.dump(self.before) if self.before else {}))
        if not self.errors:
            data["spec"] = Spec.model_validate(kept | fields)
        elif data.get("project") and data.get("name"):
            self._check_row(Deployment(project=data["project"], name=data["name"]))
        return data

    def _check_row(self, row: Deployment) -> None:
        """Tell with the other mistakes that the name is taken. Without any, saving tells it: only then it is certain,
        and a form that is sent twice must find the row that it made."""
        try:
            row.validate_constraints()
        except forms.ValidationError as error:
            self.add_error("name", error.messages)

    def _typed(self, name: str) -> str:
        """A field's text as it was sent, with the line ends of Unix."""
        return str(self.data.get(self.add_prefix(name), "")).replace("\r\n", "\n")

    def typed(self, name: str) -> str:
        """A field's text without what no value depends on: white space around it."""
        return self._typed(name).strip()

    def touched(self) -> set[str]:
        """The fields whose text is not the one that the form showed when it was opened."""
        return {name for name in self.shown if name in self.fields and self.typed(name) != words(self.shown[name])}

    def _untouched(self, name: str) -> bool:
        """Whether the text is the one that the form showed: then the value stays, though text cannot say it all."""
        return self.before is not None and self._typed(name).strip("\n") == self.shown[name].strip("\n")

    def _read(self, name: str) -> Any:
        if name in READERS and self._untouched(name):
            return getattr(self.before, name)
        try:
            read = READERS.get(name, read_scalar)(self._typed(name), name)
            read = self._with_lines(read) if name == "env" else read
        except ValueError as error:
            self.add_error(name, str(error))
            return None
        return self._with_ends(read) if name == "files" else read

    def _with_lines(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Variables without a value get the one of several lines that they had, which the form does not show. Raises
        ValueError where there is none."""
        kept = {var.name: var.value for var in self.before.env if has_lines(var)} if self.before else {}
        numbers = [number for number, line in enumerate(lines_of(self._typed("env")), 1) if line.strip()]
        for number, entry in zip(numbers, entries, strict=True):
            if entry["value"] is None and entry["name"] not in kept:
                raise ValueError(f"Line {number}: expected NAME=value.")
        return [entry if entry["value"] is not None else entry | {"value": kept[entry["name"]]} for entry in entries]

    def _with_ends(self, files: list[dict[str, str]]) -> list[dict[str, str]]:
        """Files that end without a line feed, as they were before; the form shows one behind each."""
        old = {file.path: file.content for file in self.before.files} if self.before else {}
        return [file | {"content": old[file["path"]]} if old.get(file["path"]) == file["content"][:-1] else file
                for file in files]  # fmt: skip

    def _read_env(self) -> tuple[list[Any], dict[str, str]]:
        """(env entries, new secret values by name). What was not touched stays as it is, its order too."""
        before = self.before.env if self.before else []
        plain = [var for var in before if var.secret is None] if self._untouched("env") else self._read("env") or []
        secrets, values = self._read_secrets()
        self.plain = len(plain)
        if self.before and self._untouched("env") and self._untouched("secret_env"):
            return list(before), {}
        return [*plain, *secrets], values

    def _read_secrets(self) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """(env entries with the ids of stored secrets, new values by name). A new value has no id yet."""
        of_project = self._of_project()
        stored = of_project | self._stored()
        self.secret_lines.stored = stored
        entries, values = [], {}
        known = self.secret_lines.names(self._typed("secret_env"))
        lines = [line for line in lines_of(self._typed("secret_env")) if line.strip()]
        for number, line in enumerate(lines, 1):
            text, is_new, value = line.partition("=")
            name = text.strip()
            if arrow := FROM.fullmatch(line.strip()):
                name = arrow[1]
                if arrow[2] not in of_project:
                    self.add_error("secret_env", f"The project has no secret {arrow[2]}.")
                    continue
                stored |= {name: of_project[arrow[2]]}
            called = name if number <= len(known) else f"Line {number}"  # a piece of a value is not repeated
            if value and not name:
                self.add_error("secret_env", "A value has no name; write NAME=value.")
            elif len(value) > MAX_SECRET_CHARS:
                self.add_error("secret_env", f"The value of {called} has more than {MAX_SECRET_CHARS:,} characters.")
            elif value.strip("="):
                values[name] = value
                entries.append({"name": name, "secret": uuid.UUID(int=0)})
            elif is_new:
                self.add_error("secret_env", f"{called} has no value; write NAME=value, all in one line.")
            elif name in stored:
                entries.append({"name": name, "secret": stored[name]})
            else:
                self.add_error("secret_env", f"{called} has no stored value; write NAME=value, all in one line.")
        if sum(map(len, values.values())) > MAX_SECRETS_CHARS:
            self.add_error("secret_env", f"Together have at most {MAX_SECRETS_CHARS:,} characters.")
        return entries, values

    def _stored(self) -> dict[str, uuid.UUID]:
        """The secret variables that there are, with the ids of their values."""
        return {var.name: var.secret for var in self.before.env if var.secret} if self.before else {}

    def _of_project(self) -> dict[str, uuid.UUID]:
        """The newest versions of the project's secrets: a NAME alone takes one where the deployment has none."""
        project = self.place or self.cleaned_data.get("project")
        lines = lines_of(self._typed("secret_env"))
        alone = {line.partition("<-")[2].strip() or line.strip() for line in lines if "=" not in line}
        if project is None or not alone:
            return {}
        rows = SecretValue.objects.filter(project=project, name__in=alone).order_by("name", "version")
        return dict(rows.values_list("name", "pk"))

    def ask_for_secrets_again(self) -> None:
        """Values are not sent back: say which to type anew before this is sent once more."""
        if names := list(getattr(self, "cleaned_data", {}).get("secret_values") or {}):
            self.add_error("secret_env", f"Type the value of {', '.join(names)} again: values are never sent back.")

    def show(self, problems: list[Problem]) -> None:
        """Put the spec's problems beside their fields, unless something is wrong with these already; what belongs to no
        field stands above the form."""
        marked = set(self.errors)
        for path, text in problems:
            name = str(path[0]) if path else ""
            if name == "env" and len(path) > 1 and isinstance(path[1], int) and path[1] >= self.plain:
                name = "secret_env"
            if name not in marked:
                self.add_error(name if name in self.fields else None, self._where(name, path) + text)

    def _where(self, name: str, path: tuple[str | int, ...]) -> str:
        """Which entry of a text that holds several is meant."""
        if len(path) < 2 or name == "secret_env":
            return ""
        words = {"files": "File"} | dict.fromkeys(("env", "args", "command"), "Line")
        if isinstance(path[1], int):
            return f"{words[name]} {path[1] + 1}: " if name in words else ""
        return f"{path[1]}: "
