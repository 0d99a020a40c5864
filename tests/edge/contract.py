"""Holds every answer of the edge against what its OpenAPI document says of it."""

import re
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator, oas31_format_checker


class Contract:
    """An OpenAPI document, to be asked whether an answer is in it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._paths = {template: _pattern(template) for template in document["paths"]}

    def check(self, response: httpx.Response) -> None:
        """Fail unless route, status and body are documented; unknown routes have no entry."""
        path = response.request.url.raw_path.decode().partition("?")[0]
        for template, pattern in self._paths.items():
            operation = self.document["paths"][template].get(response.request.method.lower())
            if pattern.fullmatch(path) and operation:
                self._check_operation(operation, response)
                return
        assert response.status_code in {404, 405}, f"{path} is not documented"

    def _check_operation(self, operation: dict[str, Any], response: httpx.Response) -> None:
        documented = operation["responses"].get(str(response.status_code))
        assert documented, f"{response.status_code} is not documented: {response.text}"
        media_type = response.headers["content-type"].partition(";")[0]
        schema = documented["content"][media_type]["schema"]
        if media_type == "application/json":
            whole = {**schema, "components": self.document["components"]}
            OAS31Validator(whole, format_checker=oas31_format_checker).validate(response.json())


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(template)))
