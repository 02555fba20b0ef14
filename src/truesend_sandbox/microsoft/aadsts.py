"""The identity platform's errors, named by AADSTS number (reference-error-codes and observed answers)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Aadsts:
    """`{name}` in the text are values of the case. `policy`: a claims challenge may come with it."""

    error: str
    text: str
    status: int = 400
    suberror: str | None = None
    policy: bool = False


_REVOKED = (
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have"
    " changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before"
    " which tokens are not valid) for this user is '{valid_from}'."
)

CODES: dict[int, Aadsts] = {
    50011: Aadsts(
        "invalid_request",
        "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured"
        " for the application '{client}'. Make sure the redirect URI sent in the request matches one added to"
        " your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn"
        " more about how to fix this.",
    ),
    50020: Aadsts(
        "invalid_grant",
        "User account '{user}' from identity provider '{issuer}' does not exist in tenant '{tenant}' and cannot"
        " access the application '{client}'({app}) in that tenant. The account needs to be added as an external"
        " user in the tenant first. Sign out and sign in again with a different Azure Active Directory user"
        " account.",
    ),
    50034: Aadsts(
        "invalid_grant",
        "The user account {{EmailHidden}} does not exist in the {tenant} directory. To sign into this"
        " application, the account must be added to the directory.",
    ),
    50057: Aadsts("invalid_grant", "The user account is disabled."),
    50058: Aadsts("login_required", "A silent sign-in request was sent but no user is signed in."),
    50076: Aadsts(
        "invalid_grant",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you"
        " must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.",
        suberror="basic_action",
        policy=True,
    ),
    50173: Aadsts("invalid_grant", _REVOKED, suberror="bad_token"),
    50194: Aadsts(
        "invalid_request",
        "Application '{client}'({app}) is not configured as a multi-tenant application. Usage of the /common"
        " endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or"
        " configure the application to be multi-tenant.",
    ),
    50196: Aadsts(
        "invalid_grant",
        "The server terminated an operation because it encountered a client request loop. Please contact your"
        " app vendor.",
    ),
    53003: Aadsts(
        "invalid_grant",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token"
        " issuance.",
        suberror="message_only",
        policy=True,
    ),
    54005: Aadsts(
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing"
        " refresh token.",
    ),
    65001: Aadsts(
        "invalid_grant",
        "The user or administrator has not consented to use the application with ID '{client}' named '{app}'."
        " Send an interactive authorization request for this user and resource.",
        suberror="consent_required",
    ),
    65004: Aadsts("access_denied", "User declined to consent to access the app."),
    70000: Aadsts("invalid_grant", "Provided grant is invalid or malformed."),
    70002: Aadsts("invalid_request", "Error validating credentials."),
    70003: Aadsts("unsupported_grant_type", "The app requested an unsupported grant type '{grant_type}'."),
    70008: Aadsts(
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive"
        " authorization request for this user and resource.",
    ),
    70011: Aadsts(
        "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the input"
        " parameter 'scope' is not valid. The scope {scope} is not valid.",
    ),
    70043: Aadsts(
        "invalid_grant",
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The"
        " token was issued on {issued} and the maximum allowed lifetime for this request is 86400.",
        suberror="bad_token",
    ),
    90002: Aadsts(
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into"
        " the correct cloud. Check with your subscription administrator, this may happen if there are no active"
        " subscriptions for the tenant.",
    ),
    90023: Aadsts("invalid_request", "Unsupported '{parameter}' value."),
    90033: Aadsts(
        "temporarily_unavailable",
        "A transient error has occurred. Please try again.",
        status=503,
    ),
    90055: Aadsts(
        "temporarily_unavailable", "There are too many incoming requests. Please try again later.", status=429
    ),
    90094: Aadsts("access_denied", "The grant requires admin permission."),
    501481: Aadsts(
        "invalid_grant",
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    700005: Aadsts(
        "invalid_grant",
        "Provided Authorization Code is intended to use against other tenant, thus rejected.",
    ),
    700016: Aadsts(
        "unauthorized_client",
        "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if"
        " the application has not been installed by the administrator of the tenant or consented to by any user"
        " in the tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    700082: Aadsts(
        "invalid_grant",
        "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for"
        " {inactive}.",
        suberror="bad_token",
    ),
    900144: Aadsts(
        "invalid_request", "The request body must contain the following parameter: '{parameter}'."
    ),
    7000112: Aadsts("unauthorized_client", "Application '{client}'({app}) is disabled."),
    7000215: Aadsts(
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
        " value, not the client secret ID, for a secret added to app '{client}'.",
        status=401,
    ),
    7000218: Aadsts(
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        status=401,
    ),
    7000222: Aadsts(
        "invalid_client",
        "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new"
        " keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for"
        " added security: https://aka.ms/certCreds.",
        status=401,
    ),
    9002313: Aadsts("invalid_request", "Invalid request. Request is malformed or invalid."),
}
