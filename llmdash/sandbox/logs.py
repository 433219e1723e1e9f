"""Logs of containers, fetched from the node's kubelet and passed on as they come.

After k8s.io/kubernetes/pkg/registry/core/pod/strategy.go (LogLocation) and
k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from llmdash.sandbox import errors
from llmdash.sandbox.web import HttpResponse

if TYPE_CHECKING:
    from llmdash.sandbox.objects import Call

Json = dict[str, Any]
PASSED = ("follow", "previous", "timestamps", "tailLines", "limitBytes", "sinceSeconds", "sinceTime")


async def answer(call: Call) -> HttpResponse:
    """The log of one container. Raises a 400 or 404, or a 500 when the kubelet does not answer."""
    request = call.request
    pod = call.registry.get(call.resource, request.namespace, request.name)
    container = _container(pod, call.http.query.get("container", ""))
    node = pod["spec"].get("nodeName")
    if not node:
        return HttpResponse(204, content_type="")
    url = _kubelet(call, node) + f"/containerLogs/{request.namespace}/{request.name}/{container}"
    given = {name: call.http.query[name] for name in PASSED if call.http.query.get(name)}
    query = urlencode(
        {name: value for name, value in given.items() if value not in ("false", "0") or name == "tailLines"}
    )
    return await _fetch(f"{url}?{query}" if query else url, request.name, call)


def _container(pod: Json, wanted: str) -> str:
    spec = pod["spec"]
    names = [one["name"] for one in spec["containers"]]
    init = [one["name"] for one in spec.get("initContainers") or []]
    name = pod["metadata"]["name"]
    if wanted:
        if wanted not in [*names, *init]:
            raise errors.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(names) == 1:
        return str(names[0])
    message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
    if init:
        message += f" or one of the init containers: [{' '.join(init)}]"
    raise errors.bad_request(message)


def _kubelet(call: Call, name: str) -> str:
    node = call.registry.store.get("/nodes", "", name)
    if node is None:
        raise errors.Refusal(404, "NotFound", f'nodes "{name}" not found', {"name": name, "kind": "nodes"})
    status = node.get("status") or {}
    for one in status.get("addresses") or []:
        if one["type"] == "InternalIP":
            port = status["daemonEndpoints"]["kubeletEndpoint"]["Port"]
            return f"https://{one['address']}:{port}"
    raise errors.internal(f"no preferred addresses found; known addresses: {status.get('addresses') or []}")


async def _fetch(url: str, pod: str, call: Call) -> HttpResponse:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # kubelets sign their own certificates; nothing secret goes there
    client = httpx.AsyncClient(verify=context, trust_env=False, timeout=httpx.Timeout(10.0, read=None))
    try:
        response = await client.send(client.build_request("GET", url), stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        address = url.split("/")[2]
        why = f"dial tcp {address}: connect: connection refused"
        shown = url.partition("?")[0] if "?" not in url else url
        raise errors.internal(f'Get "{shown}": {why}') from error
    if response.status_code >= 300:
        words = (await response.aread()).decode("utf-8", "replace")
        await client.aclose()
        raise _refusal(response.status_code, words, pod)
    return HttpResponse(content_type="text/plain", stream=_pass_on(client, response, call))


async def _pass_on(client: httpx.AsyncClient, response: httpx.Response, call: Call) -> AsyncIterator[bytes]:
    del call
    try:
        async for part in response.aiter_raw():
            yield part
    except httpx.HTTPError:
        return  # the kubelet went away in the middle: the log ends here
    finally:
        await response.aclose()
        await client.aclose()


def _refusal(code: int, words: str, pod: str) -> errors.Refusal:
    if code == 400:
        return errors.bad_request(words)
    if code == 500:
        cause = {"causes": [{"message": words}]}
        return errors.Refusal(500, "InternalError", f"Internal error occurred: {words}", cause)
    known = {404: ("NotFound", "the server could not find the requested resource"),
             503: ("ServiceUnavailable", "the server is currently unable to handle the request")}  # fmt: skip
    reason, message = known.get(
        code, ("", f"an error on the server ({words!r}) has prevented the request from succeeding")
    )
    details = {"name": pod, "kind": "pods/log", "causes": [{"reason": "UnexpectedServerResponse", "message": words}]}
    return errors.Refusal(code, reason, f"{message} ( pods/log {pod})", details)
