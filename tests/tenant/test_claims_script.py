"""Our block in the script of a tenant: what a merge replaces, what stays, and what is refused."""

from __future__ import annotations

import pytest

from logto_auth.exceptions import ConfigurationError
from logto_auth.tenant.claims_script import FUNCTION, VERSION, block, merged_script, misfit, version_in

OLD = """// logto_auth: begin authentication_methods, version 0
const logtoAuthClaims = () => ({});
// logto_auth: end authentication_methods
"""
BEFORE = "const tier = (user) => user.customData.tier;\n\n"
AFTER = """
const getCustomJwtClaims = async ({ token, context, environmentVariables, api }) => {
\treturn { tier: tier(context.user),   ...logtoAuthClaims({ token, context }) };
};"""
BEGIN, END = OLD.splitlines()[0], OLD.splitlines()[2]


def test_new_script_is_the_block_and_a_function() -> None:
    assert merged_script("") == block() + (
        "const getCustomJwtClaims = async (parameters) => ({ ...logtoAuthClaims(parameters) });\n"
    )
    assert merged_script(" \n\n") == merged_script("")
    assert misfit(" \n\n") == ""
    assert merged_script(merged_script("")) == merged_script("")


MERGED: dict[str, tuple[str, str]] = {
    "code around it": (BEFORE + OLD + AFTER, BEFORE + block() + AFTER),
    "code only before it": (AFTER + "\n" + OLD, AFTER + "\n" + block()),
    "no newline at the end": (AFTER + "\n" + OLD.rstrip("\n"), AFTER + "\n" + block().rstrip("\n")),
    "nothing between the markers": (f"{BEGIN}\n{END}\n{AFTER}", block() + AFTER),
    "no version": (OLD.replace(", version 0", "") + AFTER, block() + AFTER),
    "an edited block of this version": (block().replace("isVerified && isOwn", "true") + AFTER, block() + AFTER),
    "more spaces in the markers": (OLD.replace("// logto_auth: ", "//   logto_auth:  ") + AFTER, block() + AFTER),
    "spaces after the markers": (OLD.replace("\n", "  \n") + AFTER, block() + AFTER),
    "a marker in a string": (
        f'const text = "{BEGIN}";\n{OLD}{AFTER}',
        f'const text = "{BEGIN}";\n{block()}{AFTER}',
    ),
    "a marker after code": (f"run(); {BEGIN}\n{OLD}{AFTER}", f"run(); {BEGIN}\n{block()}{AFTER}"),
    "a marker of another block": (
        f"// logto_auth: begin other, version 1\n{OLD}{AFTER}",
        f"// logto_auth: begin other, version 1\n{block()}{AFTER}",
    ),
    "letters that need more bytes": (f"// Grüße, 世界 😀\n{OLD}", f"// Grüße, 世界 😀\n{block()}"),
}


@pytest.mark.parametrize("case", MERGED)
def test_only_the_block_is_replaced(case: str) -> None:
    script, expected = MERGED[case]
    assert merged_script(script) == expected
    assert merged_script(expected) == expected
    assert (version_in(expected), misfit(script)) == (VERSION, "")


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\u2028"])
def test_block_has_the_newlines_of_the_script(newline: str) -> None:
    script = (BEFORE + OLD + AFTER).replace("\n", newline)
    expected = (BEFORE + block() + AFTER).replace("\n", newline)
    assert merged_script(script) == expected
    assert merged_script(expected) == expected


def test_mixed_newlines_outside_of_the_block_stay() -> None:
    script = BEFORE.replace("\n", "\r\n") + OLD + AFTER.replace("\n", "\r\n")
    assert merged_script(script) == BEFORE.replace("\n", "\r\n") + block() + AFTER.replace("\n", "\r\n")


@pytest.mark.parametrize("indent", ["  ", "\t"])
def test_block_has_the_indentation_of_its_marker(indent: str) -> None:
    def indented(text: str) -> str:
        return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))

    script, expected = f"{{\n{indented(OLD)}}}{AFTER}", f"{{\n{indented(block())}}}{AFTER}"
    assert merged_script(script) == expected
    assert merged_script(expected) == expected


def test_newer_block_stays() -> None:
    script = OLD.replace("version 0", f"version {VERSION + 1}") + AFTER
    assert merged_script(script) == script
    assert version_in(script) == VERSION + 1


WITHOUT_MARKERS = {
    "other claims": AFTER,
    "a comment": "// nothing yet",
    "our function without markers": OLD.replace(BEGIN, "").replace(END, "") + AFTER,
    "a marker inside of a line": f"const text = '{BEGIN}';",
}


@pytest.mark.parametrize("case", WITHOUT_MARKERS)
def test_script_without_markers_is_refused_with_what_to_add(case: str) -> None:
    assert version_in(WITHOUT_MARKERS[case]) is None
    with pytest.raises(ConfigurationError, match="without the block of logto_auth") as raised:
        merged_script(WITHOUT_MARKERS[case])
    text = str(raised.value)
    assert block() in text
    assert f"...{FUNCTION}({{ token, context }})" in text


ODD_MARKERS = {
    "the block twice": (OLD + OLD + AFTER, "begin in line 1, end in line 3, begin in line 4, end in line 6"),
    "a begin without an end": (f"{BEGIN}\n{AFTER}", "begin in line 1"),
    "an end without a begin": (f"{AFTER}\n{END}", "end in line 5"),
    "an end before its begin": (f"{END}\n{BEGIN}\n{AFTER}", "end in line 1, begin in line 2"),
    "two begins": (f"{BEGIN}\r\n{OLD}", "begin in line 1, begin in line 2, end in line 4"),
    "two ends": (f"{OLD}{END}", "begin in line 1, end in line 3, end in line 4"),
    "a version that is no number": (OLD.replace("version 0", "version one"), "end in line 3"),
    "a version of ten digits": (OLD.replace("version 0", "version 1000000000"), "end in line 3"),
    "lines of a template": (
        f"const text = `\n{OLD}`;\n{OLD}{AFTER}",
        "begin in line 2, end in line 4, begin in line 6",
    ),
}


@pytest.mark.parametrize("case", ODD_MARKERS)
def test_markers_that_do_not_fit_are_refused(case: str) -> None:
    script, places = ODD_MARKERS[case]
    with pytest.raises(ConfigurationError, match=f"markers of logto_auth that do not fit together: {places}"):
        merged_script(script)
    assert places in misfit(script)
    assert version_in(script) is None
