"""Every API this broker serves, by its key; ApiVersions 0-3 answers from this table, so it cannot lie.

Not implemented: ApiVersions 4, features.
"""

from typing import Any

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse

from deploy.embedded.kafka import (
    cluster_api,
    config_api,
    fetch_api,
    group_api,
    membership_api,
    produce_api,
    topic_api,
)
from deploy.embedded.kafka.broker import Api, Broker, Caller
from deploy.embedded.kafka.wire import Error, RequestHeader


async def api_versions(broker: Broker, request: Any, caller: Caller) -> Any:
    return _advertisement(Error.NONE)


def _advertisement(error: Error) -> Any:
    keys = [
        ApiVersionsResponse.ApiVersion(api_key=key, min_version=api.min_version, max_version=api.max_version)
        for key, api in REGISTRY.items()
    ]
    return ApiVersionsResponse(error_code=error, api_keys=keys)


_APIS: tuple[Api, ...] = (
    *produce_api.APIS,
    *fetch_api.APIS,
    *cluster_api.APIS,
    *membership_api.APIS,
    *group_api.APIS,
    *topic_api.APIS,
    *config_api.APIS,
    Api(ApiVersionsRequest, 0, 3, api_versions),
)
REGISTRY: dict[int, Api] = {
    api.request.API_KEY: api for api in sorted(_APIS, key=lambda api: api.request.API_KEY)
}


def served(header: RequestHeader) -> Api | None:
    """The API a request may use, or None if this broker never offered it."""
    api = REGISTRY.get(header.api_key)
    return api if api and api.min_version <= header.version <= api.max_version else None


def unsupported_api_versions(header: RequestHeader) -> Any | None:
    """A client may ask in a newer ApiVersions than ours: it is told ours, in version 0."""
    asked = header.api_key == ApiVersionsRequest.API_KEY
    return _advertisement(Error.UNSUPPORTED_VERSION) if asked else None
