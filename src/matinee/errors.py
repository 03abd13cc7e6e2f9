"""The one tree of errors. `matinee.api` turns an `ApiError` into a response; nothing else does.

MatineeError
├── ApiError                     an answer of the Personalize API: code, status, sentence
│   ├── InvalidInput             InvalidInputException
│   ├── ResourceNotFound         ResourceNotFoundException
│   ├── ResourceAlreadyExists    ResourceAlreadyExistsException
│   ├── ResourceInUse            ResourceInUseException
│   ├── LimitExceeded            LimitExceededException
│   ├── InvalidNextToken         InvalidNextTokenException
│   ├── TooManyTags              TooManyTagsException
│   ├── TooManyTagKeys           TooManyTagKeysException
│   ├── Throttling               ThrottlingException
│   ├── AccessDenied             AccessDeniedException
│   └── Unauthenticated          a front-door refusal: signature, token, clock
├── DataProblem                  bad input: file, line, column, what is wrong, what to do
├── JobFailed                    a job's end with a reason a user can act on
├── JobStopped                   a job ended because someone asked it to
├── DeliveryFailed               a destination that did not take an event, and whether another try may help
├── StorageProblem               an object that is missing or altered, or a store that cannot be used
├── ArtifactProblem              a stored model that is missing, cut short or altered
└── SettingsProblem              a setting that cannot be used
"""

from __future__ import annotations

from typing import ClassVar


class MatineeError(Exception):
    """Root of every error that Matinee raises on purpose. `str(error)` is the sentence for the user."""


class ApiError(MatineeError):
    """An error of the Personalize API. `code` is the exception's name on the wire; statuses are per protocol."""

    code: ClassVar[str] = "InternalFailure"
    control_status: ClassVar[int] = 400
    rest_status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(ApiError):
    """A bad value, a missing ID, or a state that the request cannot be used in."""

    code = "InvalidInputException"


class ResourceNotFound(ApiError):
    """The ARN is unknown, belongs to another account, or has been deleted."""

    code = "ResourceNotFoundException"
    rest_status = 404

    @classmethod
    def of(cls, arn: str) -> ResourceNotFound:
        """The service's recorded sentence for an unknown ARN."""
        return cls(f"Resource Arn {arn} does not exist.")


class ResourceAlreadyExists(ApiError):
    """The name, hence the ARN, is taken."""

    code = "ResourceAlreadyExistsException"

    @classmethod
    def of(cls, arn: str) -> ResourceAlreadyExists:
        """The service's recorded sentence for a taken ARN."""
        return cls(f"Another resource with Arn {arn} already exists.")


class ResourceInUse(ApiError):
    """A state or a dependent resource forbids the request for now."""

    code = "ResourceInUseException"
    rest_status = 409


class LimitExceeded(ApiError):
    """A quota."""

    code = "LimitExceededException"


class InvalidNextToken(ApiError):
    """A paging token that this server did not issue for this listing."""

    code = "InvalidNextTokenException"


class TooManyTags(ApiError):
    """More than 50 tags on one resource."""

    code = "TooManyTagsException"


class TooManyTagKeys(ApiError):
    """More tag keys than one call may carry."""

    code = "TooManyTagKeysException"


class Throttling(ApiError):
    """Load above the capacity of a campaign or of the server."""

    code = "ThrottlingException"
    rest_status = 429


class AccessDenied(ApiError):
    """The caller is known and may not do this."""

    code = "AccessDeniedException"
    control_status = 400
    rest_status = 403


class Unauthenticated(ApiError):
    """A front-door refusal. The wire code varies with the cause, so it is given by the raiser."""

    control_status = 403
    rest_status = 403

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.wire_code = code


class DataProblem(MatineeError):
    """Bad input data: where it is, what is wrong with it, and what to do.

    `line` counts from 1 and includes the header; `column` is the column's name.
    """

    def __init__(
        self,
        problem: str,
        *,
        fix: str,
        file: str | None = None,
        line: int | None = None,
        column: str | None = None,
        example: str | None = None,
    ) -> None:
        self.problem, self.fix = problem, fix
        self.file, self.line, self.column, self.example = file, line, column, example
        place = ", ".join(
            part
            for part in (
                f"file {file}" if file else "",
                f"line {line}" if line is not None else "",
                f"column {column}" if column else "",
            )
            if part
        )
        shown = f" (found {example!r})" if example is not None else ""
        super().__init__(f"{problem}{shown}{f' At {place}.' if place else ''} {fix}".strip())


class JobFailed(MatineeError):
    """A job ended for a reason that becomes the resource's `failureReason`."""


class JobStopped(MatineeError):
    """A job ended because its cancellation was requested."""


class DeliveryFailed(MatineeError):
    """A destination did not take an event. `final`: no other try can help; `wait`: seconds that it asked for."""

    def __init__(self, message: str, *, final: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.final, self.wait = final, wait


class StorageProblem(MatineeError):
    """An object is missing or not what was stored, or its store cannot be used; names the key."""


class ArtifactProblem(MatineeError):
    """A stored model is missing, truncated or not what its manifest says."""


class SettingsProblem(MatineeError):
    """A setting has a value that cannot be used; names the setting and what it accepts."""
