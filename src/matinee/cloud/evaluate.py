"""AWS's policy evaluation for a request within one account or across two.

Source: IAM User Guide, "Policy evaluation logic". Organizations' policies (SCP, RCP) and session policies are not
part of it. What cannot be known here is read in favour of access: a refusal is always certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from matinee.cloud.conditions import hold
from matinee.cloud.patterns import matches, matches_arn, unresolvable
from matinee.cloud.policies import Policy, Principals, Statement
from matinee.cloud.request import Principal, Request
from matinee.cloud.truth import Truth, all_of, any_of, negation

# Their resources are reached through the resource's own policy or not at all, by identities of its account too.
_RESOURCE_DECIDES = ("sts:", "kms:")


class Layer(StrEnum):
    """The kinds of policy that may each have to allow a request."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    RESOURCE = "resource policy"


class _Reach(IntEnum):
    """How a statement of a resource policy means the one who asks; more is stronger."""

    ACCOUNT = 1  # it leaves the decision to the identity policies of the account
    ROLE = 2  # it means the role, whose sessions the permissions boundary limits
    DIRECT = 3  # it means exactly this one, or everyone


@dataclass(frozen=True)
class Decision:
    """The answer to a request.

    `by`: the statements that decided, every `Deny` that applies or else the `Allow`s. `missing`: where an `Allow` is
    missing when none of them is a `Deny`. `assumed`: statements that depend on what cannot be known here and were
    read in favour of access.
    """

    allowed: bool
    by: tuple[Statement, ...] = ()
    missing: tuple[Layer, ...] = ()
    assumed: tuple[Statement, ...] = ()


def evaluate(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    resource: Policy | None = None,
    boundary: Policy | None = None,
) -> Decision:
    """Decide on `request`: any `Deny` refuses; else each kind of policy that has a say must allow.

    `identity`: the policies of the role or user; `resource`: the policy of the bucket, role or key that is asked for.
    """
    policies = [*identity, *_given(resource), *_given(boundary)]
    truths = {
        statement: applies(statement, request, bounded=boundary is not None)
        for policy in policies
        for statement in policy.statements
    }
    denies = tuple(statement for statement, truth in truths.items() if statement.effect == "Deny" and truth)
    if denies:
        return Decision(False, by=denies)

    def allows(policies: Iterable[Policy]) -> tuple[Statement, ...]:
        found = (statement for policy in policies for statement in policy.statements)
        return tuple(s for s in found if s.effect == "Allow" and truths[s] is not False)

    own, given = allows(identity), allows(_given(resource))
    within_bounds = boundary is None or bool(allows([boundary]))
    missing = _missing(request, bool(own), _strongest(given, request.principal), within_bounds=within_bounds)
    return Decision(
        allowed=not missing,
        by=() if missing else own + given,
        missing=missing,
        assumed=tuple(statement for statement, truth in truths.items() if truth is None),
    )


def applies(statement: Statement, request: Request, *, bounded: bool = False) -> Truth:
    """Whether a statement is about `request`; unknown when that depends on what cannot be known here.

    `bounded`: whether the one who asks has a permissions boundary.
    """
    variables = request.context if statement.variables else None
    actions = (matches(pattern, request.action, ignore_case=True) for pattern in statement.actions.patterns)
    about = [_or_not(any_of(actions), statement.actions.negated)]
    if statement.resources is not None:
        if statement.resources.negated and any(unresolvable(p, variables) for p in statement.resources.patterns):
            return False  # AWS takes such a statement as invalid, not as one about every other resource
        resources = (matches_arn(pattern, request.resource, variables) for pattern in statement.resources.patterns)
        about.append(_or_not(any_of(resources), statement.resources.negated))
    if statement.principals is not None:
        about.append(_means(statement.principals, request.principal, bounded=bounded))
    return all_of([*about, hold(statement.conditions, request.context)])


def _given(policy: Policy | None) -> tuple[Policy, ...]:
    return () if policy is None else (policy,)


def _or_not(truth: Truth, negated: bool) -> Truth:
    return negation(truth) if negated else truth


def _missing(request: Request, own: bool, reach: _Reach | None, *, within_bounds: bool) -> tuple[Layer, ...]:
    """The layers in which an `Allow` is missing; none of them when the request is allowed."""
    principal = request.principal
    if principal.account is None:
        return () if reach else (Layer.RESOURCE,)
    needs = {Layer.IDENTITY: own, Layer.BOUNDARY: within_bounds, Layer.RESOURCE: reach is not None}
    if principal.account == request.account:
        if reach is _Reach.DIRECT:
            return ()
        needs[Layer.IDENTITY] = own or reach is _Reach.ROLE
        if not request.action.lower().startswith(_RESOURCE_DECIDES):
            del needs[Layer.RESOURCE]
    return tuple(layer for layer, met in needs.items() if not met)


def _strongest(statements: Sequence[Statement], principal: Principal) -> _Reach | None:
    """The strongest way in which `Allow`s of a resource policy, all of which apply, mean the one who asks."""
    reaches = [
        _Reach.DIRECT if s.principals.negated else _reach(s.principals, principal) for s in statements if s.principals
    ]
    return max((reach for reach in reaches if reach is not None), default=None)


def _means(principals: Principals, principal: Principal, *, bounded: bool) -> Truth:
    """Whether a `Principal` or `NotPrincipal` means `principal`.

    An exception of `NotPrincipal` holds for an identity when its account is named with it, and never for one with a
    permissions boundary. Where only one of the two is named, AWS does not say whether it holds.
    """
    reach = _reach(principals, principal)
    if not principals.negated:
        return reach is not None
    if reach is None or principal.account is None:
        return reach is None
    if bounded:
        return True
    account_named = any(_is_account(value, principal.account) or value == "*" for _, value in principals.named)
    return False if account_named and reach is not _Reach.ACCOUNT else None


def _reach(principals: Principals, principal: Principal) -> _Reach | None:
    return max((r for named in principals.named if (r := _one_reach(*named, principal)) is not None), default=None)


def _one_reach(kind: str, value: str, principal: Principal) -> _Reach | None:
    if kind == "Service":
        return _Reach.DIRECT if value in principal.services or (value == "*" and principal.services) else None
    if kind != "AWS":
        return None
    if value in ("*", principal.session):
        return _Reach.DIRECT
    if value == principal.arn:
        return _Reach.ROLE if principal.session else _Reach.DIRECT
    return _Reach.ACCOUNT if principal.account and _is_account(value, principal.account) else None


def _is_account(value: str, account: str) -> bool:
    """An account is named by its number or its root: `arn:aws:iam::<account>:root`."""
    return value == account or (value.startswith("arn:") and value.endswith(f":iam::{account}:root"))
