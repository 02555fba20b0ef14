"""MSAL and Microsoft's Graph SDK against the sandbox."""

from __future__ import annotations

import base64
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msal import ConfidentialClientApplication
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.file_attachment import FileAttachment
from msgraph.generated.models.internet_message_header import InternetMessageHeader
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from tests.sandbox.graph_sdk import by_sdk, known
from tests.sandbox.microsoft_client import (
    ADA,
    ALL,
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    IMMUTABLE,
    MicrosoftClient,
    Tokens,
)
from tests.sandbox_process import Sandbox

with warnings.catch_warnings():
    # The library warns of itself while it is imported.
    warnings.simplefilter("ignore")
    from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder

LOGIN = "https://login.microsoftonline.com"


class Local(requests.Session):
    """MSAL insists on https for its authority: this maps that host to the sandbox, and its answers back."""

    def __init__(self, sandbox: str) -> None:
        super().__init__()
        self.sandbox = sandbox

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **more: Any) -> requests.Response:
        assert str(url).startswith(LOGIN), url
        answer = super().request(method, str(url).replace(LOGIN, self.sandbox), *args, **more)
        if "openid-configuration" in str(url):
            answer._content = answer.content.replace(self.sandbox.encode(), LOGIN.encode())
        return answer


@pytest.fixture
def application(sandbox: Sandbox) -> Iterator[ConfidentialClientApplication]:
    with Local(sandbox.url) as session:
        yield ConfidentialClientApplication(
            CLIENT_ID,
            client_credential=CLIENT_SECRET,
            authority=f"{LOGIN}/common",
            instance_discovery=False,
            validate_authority=False,
            http_client=session,
        )


def test_msal_walks_the_code_flow_and_refreshes(
    sandbox: Sandbox, microsoft: MicrosoftClient, application: ConfidentialClientApplication
) -> None:
    flow = application.initiate_auth_code_flow(
        ["Mail.Send", "User.Read"], redirect_uri=CALLBACK, response_mode="form_post"
    )
    sandbox.consent(ADA, "microsoft")
    asked = urlsplit(flow["auth_uri"])
    target = urlunsplit(asked._replace(scheme="http", netloc=urlsplit(sandbox.url).netloc))
    page = requests.get(target, allow_redirects=False, timeout=10).text
    back = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    result = application.acquire_token_by_auth_code_flow(flow, back)
    assert result.get("access_token"), result
    assert result["id_token_claims"]["preferred_username"] == ADA
    tokens = Tokens(result)
    assert microsoft.send(tokens).status_code == 202
    (account,) = application.get_accounts()
    assert account["username"] == ADA
    sandbox.advance(5401)
    renewed = application.acquire_token_silent(["Mail.Send"], account=account, force_refresh=True)
    assert renewed["access_token"] != tokens.access
    assert microsoft.send(Tokens(renewed)).status_code == 202


def test_msal_understands_the_errors(
    sandbox: Sandbox, microsoft: MicrosoftClient, application: ConfidentialClientApplication
) -> None:
    flow = application.initiate_auth_code_flow(
        ["Mail.Send"], redirect_uri=CALLBACK, response_mode="form_post"
    )
    denied = application.acquire_token_by_auth_code_flow(
        flow, {"error": "access_denied", "error_subcode": "cancel", "state": flow["state"]}
    )
    assert denied["error"] == "access_denied"
    tokens = microsoft.connect()
    sandbox.fault("any", "expire_grant", "microsoft", cause="mfa")
    dead = application.acquire_token_by_refresh_token(tokens.refresh, ["Mail.Send"])
    assert (dead["error"], dead["error_codes"], dead["suberror"]) == (
        "invalid_grant",
        [50076],
        "basic_action",
    )
    assert json.loads(dead["claims"])["access_token"]


def to(address: str) -> list[Recipient]:
    return [Recipient(email_address=EmailAddress(address=address, name="Bob"))]


@pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")  # of its own classes
def test_the_graph_sdk_sends_drafts_and_lists(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)

    def message(subject: str) -> Message:
        return Message(
            subject=subject,
            body=ItemBody(content_type=BodyType.Html, content="<p>Grüße</p>"),
            to_recipients=to("bob@example.com"),
            internet_message_headers=[InternetMessageHeader(name="X-Truesend-Delivery", value=subject)],
            attachments=[
                FileAttachment(
                    odata_type="#microsoft.graph.fileAttachment",
                    name="zahlen.txt",
                    content_type="text/plain",
                    content_bytes=base64.b64encode(b"1 2 3"),
                )
            ],
        )

    async def walk(graph: Any) -> None:
        me = await graph.me.get()
        assert me.mail == ADA
        known(me)
        body = SendMailPostRequestBody(message=message("first"), save_to_sent_items=True)
        assert await graph.me.send_mail.post(body) is None
        draft = await graph.me.messages.post(message("second"))
        assert draft.is_draft
        known(draft)
        await graph.me.messages.by_message_id(draft.id).send.post()
        with pytest.raises(APIError) as gone:
            await graph.me.messages.by_message_id(draft.id).get()
        assert (gone.value.response_status_code, gone.value.error.code) == (404, "ErrorItemNotFound")
        query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
            select=["subject", "internetMessageId", "isDraft", "hasAttachments"],
            filter="isDraft eq false",
            top=1,
        )
        page = await graph.me.messages.get(RequestConfiguration(query_parameters=query))
        seen = []
        while True:
            known(page.value)
            seen += [one.subject for one in page.value]
            if not page.odata_next_link:
                break
            page = await graph.me.messages.with_url(page.odata_next_link).get()
        assert sorted(seen) == ["first", "second"]
        folder = graph.me.mail_folders.by_mail_folder_id("sentitems")
        assert (await folder.get()).total_item_count == 2
        known((await graph.me.mail_folders.get()).value)
        sent = (await folder.messages.get()).value
        known(sent)
        files = await graph.me.messages.by_message_id(sent[0].id).attachments.get()
        known(files.value)
        assert base64.b64decode(files.value[0].content_bytes) == b"1 2 3"

    by_sdk(microsoft, tokens, walk)
    assert [item["count"] for item in sandbox.messages(to="bob@example.com")] == [1, 1]
    (arrived,) = sandbox.messages(delivery="second")
    assert "zahlen.txt" in arrived["raw"]


def test_immutable_ids_as_the_sdk_would_ask(microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens)
    listed = microsoft.graph("GET", "me/messages", tokens, headers=IMMUTABLE)
    assert [one["id"] for one in listed.json()["value"]] == [draft["id"]]
    other = microsoft.graph("GET", "me/messages", tokens).json()["value"][0]["id"]
    assert other != draft["id"]
