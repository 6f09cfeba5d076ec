"""Deployments of Azure OpenAI: the path, the version and the header that they want, and keys that stay secret."""

from __future__ import annotations

import pytest

from agents import ChatError, UsageError, chat_model

KEY = "planted-pass-azure-4f1c"


@pytest.fixture
def azure(chat_server, monkeypatch):
    server = chat_server(default="hello")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url.removesuffix("/v1"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-official")
    return server


@pytest.mark.parametrize(
    ("spec", "variable", "path"),
    [
        ("azure:my-gpt", "2024-10-21", "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"),
        (
            "azure:my-gpt?api-version=2025-01-01-preview",
            "2024-10-21",
            "/openai/deployments/my-gpt/chat/completions?api-version=2025-01-01-preview",
        ),
    ],
)
def test_what_is_sent_to_a_deployment(azure, monkeypatch, spec, variable, path):
    monkeypatch.setenv("OPENAI_API_VERSION", variable)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-planted")
    model = chat_model(spec, max_tokens=5)
    assert model.invoke("hi").content == "hello"
    (request,) = azure.requests
    assert request.path == path
    assert request.headers["api-key"] == KEY
    assert "authorization" not in request.headers
    assert not any(name.startswith("openai-") for name in request.headers)
    assert request.body["max_completion_tokens"] == 5
    assert KEY not in repr(model)


def test_the_first_version_of_the_newer_interface_needs_no_other(azure, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{azure.url.removesuffix('/v1')}/openai/v1/")
    assert chat_model("azure:my-gpt").invoke("hi").content == "hello"
    chat_model(f"{azure.url.removesuffix('/v1')}/openai/v1#my-gpt").invoke("hi")
    assert [request.path for request in azure.requests] == ["/openai/v1/chat/completions"] * 2
    assert azure.requests[0].body["model"] == "my-gpt"


def test_a_token_in_place_of_a_key(azure, monkeypatch):
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", KEY)
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    chat_model("azure:my-gpt").invoke("hi")
    assert azure.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "api-key" not in azure.requests[0].headers
    chat_model("azure:my-gpt", api_key="planted-pass-azure-other").invoke("hi")
    assert azure.requests[1].headers["api-key"] == "planted-pass-azure-other"


@pytest.mark.parametrize(
    ("spec", "missing", "told"),
    [
        ("azure:my-gpt", "AZURE_OPENAI_ENDPOINT", "set AZURE_OPENAI_ENDPOINT, such as https://NAME.openai.azure.com"),
        ("azure:my-gpt", "AZURE_OPENAI_API_KEY", "needs a key: set AZURE_OPENAI_API_KEY"),
        ("azure:my-gpt", "OPENAI_API_VERSION", "set OPENAI_API_VERSION, or write azure:my-gpt\\?api-version=VERSION"),
        ("azure:", "", "names no deployment"),
        ("azure:my-gpt?version=1", "", "is no api-version"),
        ("azure:my-gpt?api-version=soon", "", "is no api-version"),
        ("azure:sk-planted-0123456789abcdef0123", "", "put a key into AZURE_OPENAI_API_KEY"),
    ],
)
def test_what_is_missing_is_named(azure, monkeypatch, spec, missing, told):
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    if missing:
        monkeypatch.delenv(missing)
    with pytest.raises(UsageError, match=told):
        chat_model(spec)
    assert azure.requests == []


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, {"statusCode": 401, "message": "Access denied"}, "401: Access denied; check the key in AZURE_OPENAI_API_KEY"),
        (404, {"error": {"code": "DeploymentNotFound", "message": "m"}}, "is there a deployment named 'my-gpt'"),
    ],
)
def test_errors_of_azure(chat_server, misbehaving, monkeypatch, status, body, told):
    server = chat_server(default=misbehaving.Reply(status=status, body=body))
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url.removesuffix("/v1"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with pytest.raises(ChatError, match=told) as caught:
        chat_model("azure:my-gpt?api-version=2024-10-21").invoke("hi")
    assert caught.value.permanent
    assert len(server.requests) == 1
