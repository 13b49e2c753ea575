"""Describe the API as OpenAPI 3.1, from the same table and models that answer it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from adapters.api.models import ApiModel, NoQuery, ProblemBody
from adapters.api.operations import OPERATIONS, Operation
from bot.domain.api_token import REQUESTS_A_MINUTE

VERSION = "1.0.0"
_ABOUT = f"""Read what a movement shows, with a key that a coordinator of it makes in chat (`/ritme api`).

Send the key as `Authorization: Bearer ritme_…`. A key opens the parts that were chosen for it, for one movement. It may
ask {REQUESTS_A_MINUTE} times a minute, which each process of Ritme counts for itself; `RateLimit` tells what is left,
and an answer 429 when to go on (`Retry-After`).
Answers carry an `ETag`: ask again with `If-None-Match`, and 304 says that nothing changed. Every error is a
`application/problem+json` whose `detail` says what to do. Nothing can be changed here. Fields may be added; pass over
those you do not know."""
_PROBLEMS = {
    "400": "The question is not understood",
    "401": "No key, or one that works no longer",
    "403": "The key does not open this",
    "404": "Not there (any more)",
    "429": "Too many questions this minute",
}
_REFERENCE = "#/components/schemas/{model}"


def describe_api(server: str) -> dict[str, Any]:
    """Return the description of the API at an address."""
    bodies: set[type[ApiModel]] = {ProblemBody, *(operation.body for operation in OPERATIONS)}
    _, defined = models_json_schema(
        [(one, "serialization") for one in sorted(bodies, key=lambda one: one.__name__)], ref_template=_REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ritme", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "paths": {one.path: {"get": _describe_operation(one)} for one in OPERATIONS},
        "components": {
            "schemas": defined["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key of a movement"}},
            "headers": {
                "ETag": _describe_header("Changes when the answer does"),
                "RateLimit": _describe_header("What is left this minute, as in draft-ietf-httpapi-ratelimit-headers"),
                "RetryAfter": _describe_header("Seconds to wait", "integer"),
            },
        },
    }


def _describe_header(about: str, kind: str = "string") -> dict[str, Any]:
    return {"description": about, "schema": {"type": kind}}


def _describe_operation(one: Operation) -> dict[str, Any]:
    problems = {status for status in _PROBLEMS if status != "404" or one.may_be_missing}
    if one.scope is None:
        problems.remove("403")
    opens = f"Needs a key that opens `{one.scope.value}`." if one.scope is not None else "Any key opens this."
    return {
        "operationId": one.id,
        "summary": one.summary,
        "description": opens,
        "parameters": [*_describe_path(one), *_describe_query(one)],
        "responses": {
            "200": {
                "description": one.summary,
                "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("ETag", "RateLimit")},
                "content": {"application/json": {"schema": _refer_to(one.body.__name__)}},
            },
            **{status: _describe_problem(status) for status in sorted(problems)},
        },
    }


def _refer_to(model: str) -> Mapping[str, str]:
    return {"$ref": _REFERENCE.format(model=model)}


def _describe_problem(status: str) -> dict[str, Any]:
    told = {"application/problem+json": {"schema": _refer_to(ProblemBody.__name__)}}
    headers = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}} if status == "429" else {}
    return {"description": _PROBLEMS[status], "content": told, **({"headers": headers} if headers else {})}


def _describe_path(one: Operation) -> Sequence[dict[str, Any]]:
    if "{id}" not in one.path:
        return ()
    return ({"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}},)


def _describe_query(one: Operation) -> Sequence[dict[str, Any]]:
    if one.query is NoQuery:
        return ()
    schema = one.query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": False, **_split_description(about)}
        for name, about in schema["properties"].items()
    ]


def _split_description(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return a property as a parameter: one that may be left out is not null in a URL."""
    schema = {name: value for name, value in about.items() if name not in ("title", "description", "default")}
    if "anyOf" in schema:
        schema |= next(one for one in schema.pop("anyOf") if one.get("type") != "null")
    if about.get("default") is not None:
        schema["default"] = about["default"]
    return {"description": about.get("description", ""), "schema": schema}
