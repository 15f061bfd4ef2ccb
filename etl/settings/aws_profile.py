"""A profile of the AWS shared credentials file → its keys; for targets whose settings ask for one, and never otherwise.

Only keys that stand in the file are read: no role is assumed, no command is run and no network is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_PROFILE = "default"
DEFAULT_FILE = "~/.aws/credentials"
"""Unless AWS_SHARED_CREDENTIALS_FILE names another, as for every program of AWS's."""


class ProfileError(Exception):
    """The file or the profile cannot be used. `hint`: what to do; neither quotes what the file holds but names."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class ProfileKeys:
    """The keys of a profile; `token`: of a session, "" for none."""

    access_key: str
    secret: str
    token: str

    def __repr__(self) -> str:
        return "ProfileKeys(***)"


def profile_keys(file: Path, profile: str) -> ProfileKeys:
    """Return the keys of `profile`, read by botocore now. Raises ProfileError."""
    # botocore takes a quarter of a second to import; only who signs pays for it.
    from botocore.configloader import raw_config_parse
    from botocore.credentials import SharedCredentialProvider
    from botocore.exceptions import ConfigNotFound, ConfigParseError, PartialCredentialsError

    try:
        known = raw_config_parse(str(file))
        found = SharedCredentialProvider(str(file), profile, ini_parser=lambda _: known).load()
    except ConfigNotFound as error:
        raise ProfileError("there is no such file", "create it with `aws configure`, or name another") from error
    except (ConfigParseError, OSError, UnicodeDecodeError) as error:
        raise ProfileError("the file cannot be read", "it must be a readable file of AWS profiles") from error
    except PartialCredentialsError as error:
        raise ProfileError(f"profile '{profile}' has no secret access key", "add aws_secret_access_key") from error
    if profile not in known:
        names = ", ".join(known) or "none"
        raise ProfileError(f"there is no profile '{profile}'", f"the profiles are: {names}")
    if found is None:
        hint = "only keys that stand in the file are read: aws_access_key_id, aws_secret_access_key, aws_session_token"
        raise ProfileError(f"profile '{profile}' holds no access key", hint)
    return ProfileKeys(found.access_key, found.secret_key, found.token or "")
