"""XML bodies, without anything that makes XML dangerous."""

from xml.etree import ElementTree as ET

from steelyard_health.domain.status.reading import UnreadablePageError

MAX_DEPTH = 32
MAX_ELEMENTS = 20_000


def parsed(body: bytes) -> ET.Element:
    """Return the root of a document in UTF-8 that declares no types and no entities.

    Raises:
        UnreadablePageError: It is no such document.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadablePageError("is not UTF-8") from error
    # Also inside of CDATA: no page has a reason for it.
    head = text.upper()
    if "<!DOCTYPE" in head or "<!ENTITY" in head:
        raise UnreadablePageError("declares types or entities")
    try:
        return _root(text)
    except ET.ParseError as error:
        raise UnreadablePageError("is not XML") from error


def _root(text: str) -> ET.Element:
    # Without declared entities nothing expands, and the size of the text bounds the rest.
    parser = ET.XMLParser(target=_BoundedBuilder())  # noqa: S314
    parser.feed(text)
    root: ET.Element = parser.close()
    return root


class _BoundedBuilder(ET.TreeBuilder):
    """Stops at what nests too deep, or has too many elements."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise UnreadablePageError("nests too deep or has too many parts")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        self._depth -= 1
        return super().end(tag)
