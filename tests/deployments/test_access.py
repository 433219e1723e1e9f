"""Who may do what, as one table."""

from itertools import pairwise

import pytest

from deployments.access import ROLE_CAN, Can, allowed, strongest
from deployments.choices import Role

TABLE: dict[Can, set[Role]] = {
    Can.VIEW: {Role.VIEWER, Role.OPERATOR, Role.ADMIN},
    Can.LOGS: {Role.VIEWER, Role.OPERATOR, Role.ADMIN},
    Can.DEPLOY: {Role.OPERATOR, Role.ADMIN},
    Can.DELETE: {Role.OPERATOR, Role.ADMIN},
    Can.MEMBERS: {Role.ADMIN},
}


@pytest.mark.parametrize("can", list(Can))
@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_says(role: Role, can: Can) -> None:
    assert allowed(role, can) == (role in TABLE[can])


@pytest.mark.parametrize("can", list(Can))
def test_nobody_may_do_nothing(can: Can) -> None:
    assert not allowed(None, can)


def test_each_role_may_do_all_that_the_weaker_one_may_and_more() -> None:
    for weaker, stronger in pairwise(Role):
        assert ROLE_CAN[weaker] < ROLE_CAN[stronger]


def test_of_several_roles_the_strongest_counts() -> None:
    assert strongest([Role.VIEWER, Role.ADMIN, Role.OPERATOR]) is Role.ADMIN
    assert strongest([Role.OPERATOR, Role.VIEWER]) is Role.OPERATOR
    assert strongest([]) is None
