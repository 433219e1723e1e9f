"""Values of accounts, each with its word, colour and icon."""

from deployments.choices import Shown


class Scope(Shown):
    """What a token may do of what its person may do."""

    READ = "read", "Read", "grey", "eye"
    WRITE = "write", "Read and write", "blue", "pencil"


class Standing(Shown):
    """Whether a token is good."""

    GOOD = "good", "Good", "green", "check"
    EXPIRED = "expired", "Expired", "orange", "clock"
    REVOKED = "revoked", "Revoked", "grey", "ban"
