"""The forms of a page, and what a browser would send of them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

BUTTONS = ("submit", "button", "reset", "image", "file")


@dataclass
class Form:
    """One form: where it goes, how, and its fields with their values as they stand."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)  # the names that a person or a script can fill, hidden ones too


class Forms(HTMLParser):
    """Reads the forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.open: Form | None = None
        self.area = self.chosen = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.found.append(self.open)
        elif self.open is None:
            return
        elif tag == "input" and given.get("type", "text") not in BUTTONS and "name" in given:
            if given.get("type") in ("checkbox", "radio") and "checked" not in given:
                self.open.typed.append(given["name"])
            else:
                self.put(given["name"], given.get("value", ""))
        elif tag == "textarea":
            self.area = given.get("name", "")
            self.put(self.area, "")
        elif tag == "select":
            self.chosen = given.get("name", "")
        elif tag == "option" and self.chosen and ("selected" in given or self.chosen not in self.open.fields):
            self.put(self.chosen, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self.open and self.area:
            self.open.fields[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "textarea":
            self.area = ""
        elif tag == "select":
            self.chosen = ""

    def put(self, name: str, value: str) -> None:
        if self.open and name:
            self.open.fields[name] = value
            if name not in self.open.typed:
                self.open.typed.append(name)


def forms_of(page: str, method: str = "post") -> list[Form]:
    """The forms of a page that are sent by this method."""
    return [form for form in Forms(page).found if form.method == method and form.typed]
