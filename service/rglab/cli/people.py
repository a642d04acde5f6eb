"""`rglab user` and `rglab token`: who may use the lab, on the machine of its server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from typer.core import TyperGroup

from rgcontract.fields import allowed
from rgcontract.people import Label, UserName
from rgcontract.quotas import Amount, Quota, QuotaUpdate, QuotaUse
from rgcontract.roles import Role
from rglab.cli.console import err, out, stop
from rglab.cli.lab_database import operator_settings, transaction
from rgstore import people, quotas, tokens
from rgstore.audit import OPERATOR
from rgstore.people import LastAdminError, NoUserError, UserExistsError
from rgstore.tables import TokenRow, UserRow
from rgstore.token_text import id_of
from rgstore.tokens import TooManyTokensError

Name = Annotated[str, typer.Argument(help="Of the user")]
OfUser = Annotated[str, typer.Option("--user", help="Whose")]


class _Tokens(TyperGroup):
    """Says to who writes `rglab token alice` how it is written."""

    def resolve_command(self, ctx: Any, args: Any) -> Any:
        """The command of these arguments."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            stop(f"no command {name!r}; a token is made by `rglab token create --user NAME`", 2)
        return super().resolve_command(ctx, args)


user = typer.Typer(no_args_is_help=True, help="Add users, list them, set what each may do.")
token = typer.Typer(cls=_Tokens, no_args_is_help=True, help="Make, list and revoke tokens.")


@user.command("add")
def add(
    name: Name,
    role: Annotated[
        Role | None, typer.Option(help="Default: admin for the first user, else member")
    ] = None,
) -> None:
    """Add a user. They need a token, too: `rglab token create --user NAME`."""
    allowed = "letters, digits and . _ @ -, at most 64, the first a letter or digit"
    _check(UserName, name, allowed, "NAME")
    with _refusals(name), transaction() as session:
        made = people.add_user(session, name, role, by=OPERATOR)
    err.print(f"{name} is a user with the role {made.role}", markup=False)


@user.command("list")
def list_users() -> None:
    """Everybody: name, role, since when, and whether they are disabled."""
    with transaction() as session:
        lines = [_user_line(row) for row in people.users(session)]
    _print(lines, "nobody yet: rglab user add NAME")


@user.command("disable")
def disable(name: Name) -> None:
    """Have none of a user's tokens speak for them. What they asked for goes on."""
    _change(name, disabled=True)


@user.command("enable")
def enable(name: Name) -> None:
    """Have a disabled user's tokens speak for them again."""
    _change(name, disabled=False)


@user.command("role")
def set_role(name: Name, role: Annotated[Role, typer.Argument(help="What they may do")]) -> None:
    """Set what a user may do, with whatever token."""
    _change(name, role=role)


@user.command("quota")
def set_quota(
    name: Name,
    quota: Annotated[Quota | None, typer.Argument(help="Which; default: show all")] = None,
    limit: Annotated[
        str | None, typer.Argument(help="A number; `default` for that of everybody")
    ] = None,
) -> None:
    """Show what a user has used of the lab and may use, or set how much."""
    given: dict[str, Amount | None] = {} if quota is None else {quota: _limit(quota, limit)}
    lab = quotas.of_lab(operator_settings())
    with _refusals(name), transaction() as session:
        row = people.change_user(session, name, quotas=given, by=OPERATOR)
        limits = quotas.limits_of(lab, row.quotas)
        lines = [
            f"{one.quota}  {_limited(one)}  {'own' if one.quota in (row.quotas or {}) else 'lab'}"
            for one in quotas.uses(session, name, limits)
        ]
    _print(lines, "")


@token.command("create")
def create(
    user: OfUser,
    name: Annotated[str, typer.Option(help="What it is for")] = "unnamed",
    role: Annotated[
        Role | None, typer.Option(help="The most that it may be used for; default: the user's")
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(help="The day, or time, at which it stops (UTC)", formats=[
            "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S",
        ]),
    ] = None,
) -> None:  # fmt: skip
    """Make a token of a user. It is printed this once, alone on standard output."""
    _check(Label, name, "a line of 1 to 100 characters", "--name")
    until = None if expires is None else expires.replace(tzinfo=UTC)
    if until is not None and until <= datetime.now(UTC):
        raise typer.BadParameter("it has passed", param_hint="--expires")
    with _refusals(user), transaction() as session:
        most = Role(people.user_of(session, user).role)
        if role is not None and not most.includes(role):
            stop(f"{user} has the role {most}, and no token of theirs may have more")
        text = tokens.make_token(session, user, name=name, role=role, expires_at=until, by=OPERATOR)
    out.print(text, markup=False, soft_wrap=True)  # only now: what is not committed is no token
    err.print(f"it is {id_of(text)}, and is shown this once; only its digest is stored")


@token.command("list")
def list_tokens(
    user: Annotated[str | None, typer.Option("--user", help="Whose; default: of all")] = None,
) -> None:
    """Tokens that are not revoked: id, user, role, name, expiry, last use."""
    with transaction() as session:
        lines = [_token_line(row) for row in tokens.tokens_of(session, user)]
    _print(lines, "none")


@token.command("revoke")
def revoke(
    name: Annotated[
        str | None, typer.Argument(help="Id of a token (`rglab token list`)", metavar="ID")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="All of this user instead")] = None,
) -> None:
    """Revoke one token, or all of a user: they speak for nobody from this moment."""
    if (name is None) == (user is None):
        raise typer.BadParameter("an ID, or --user NAME for all of a user", param_hint="ID")
    with _refusals(user or ""), transaction() as session:
        if name is not None and tokens.token_of(session, name) is None:
            stop(f"no token {name}; rglab token list has them")
        if user is not None:
            people.user_of(session, user)
        which = TokenRow.id == name if user is None else TokenRow.owner == user
        count = tokens.revoke(session, which, by=OPERATOR)
    err.print(f"revoked {count}", markup=False)


def _check(kind: Any, value: str, allowed: str, where: str) -> None:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        raise typer.BadParameter(f"allowed: {allowed}", param_hint=where) from None


def _limit(quota: Quota, limit: str | None) -> Amount | None:
    """What was given, as a limit; None for that of the lab."""
    if limit == "default":
        return None
    try:
        found: Amount = QuotaUpdate.model_validate_strings({quota: limit}, strict=False).given[
            quota
        ]
    except ValidationError:
        bounds = f"allowed: {allowed(QuotaUpdate, quota)}, or `default`"
        raise typer.BadParameter(bounds, param_hint="LIMIT") from None
    return found


def _limited(one: QuotaUse) -> str:
    used = "" if one.used is None else f"{one.used:g} of "
    return f"{used}{'any number' if one.limit is None else format(one.limit, 'g')} {one.unit}"


def _change(name: str, *, role: Role | None = None, disabled: bool | None = None) -> None:
    with _refusals(name), transaction() as session:
        changed = people.change_user(session, name, role=role, disabled=disabled, by=OPERATOR)
    err.print(_user_line(changed), markup=False)


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Say what the store refuses of a user, and end."""
    try:
        yield
    except NoUserError:
        stop(f"no user {name}: rglab user add {name}")
    except UserExistsError:
        stop(f"{name} is a user already")
    except LastAdminError:
        stop(
            f"{name} is the only admin who is not disabled: make another user one first "
            "(rglab user role NAME admin)"
        )
    except TooManyTokensError:
        stop(f"{name} has {tokens.MOST_TOKENS} valid tokens: revoke one first (rglab token list)")


def _user_line(row: UserRow) -> str:
    state = "" if row.disabled_at is None else f"  disabled {row.disabled_at:%Y-%m-%d}"
    return f"{row.name}  {row.role}  since {row.created_at:%Y-%m-%d}{state}"


def _token_line(row: TokenRow) -> str:
    until = "never" if row.expires_at is None else f"{row.expires_at:%Y-%m-%d %H:%M}"
    used = "never" if row.last_used_at is None else f"{row.last_used_at:%Y-%m-%d %H:%M}"
    return f"{row.id}  {row.owner}  {row.role}  {row.name}  expires {until}  used {used}"


def _print(lines: list[str], otherwise: str) -> None:
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
    if not lines:
        err.print(otherwise, markup=False)
