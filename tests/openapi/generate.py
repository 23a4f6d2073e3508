"""Write the types of payloads and answers of the Management API. `make generate` runs this.

The schemas come from the recorded document. This package selects and names those of the operations that the package
calls; datamodel-code-generator writes them as Python.

With `--check`, nothing is written, and the exit status is 1 if the file is not what would be written.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from datamodel_code_generator import (
    DataModelType,
    Formatter,
    InputFileType,
    LiteralType,
    PythonVersion,
    generate,
)

from .document import VERSION
from .types import type_schemas

FILE = Path(__file__).parents[2] / "logto_auth" / "management_api" / "types.py"
HEADER = f'''"""The types of what the Management API returns, and of what is sent to it.

`NewUser` is the payload that creates a `User`, and `UserChanges` the payload that changes one. Types of objects inside
others are here too, such as `OidcClientMetadata`. Times are in milliseconds since the epoch, lifetimes in seconds.

The types describe what Logto sends; the values are not checked. A key that not every answer has is `NotRequired`, and
Logto may send keys that are not here.

Generated from the OpenAPI document of Logto {VERSION} by `make generate`, with datamodel-code-generator. Do not edit.
`tests/openapi` has the generator, and what recorded HTTP corrects in the document.
"""'''
# Type checkers bring typing_extensions along. At run time, the annotations are not evaluated.
NOT_REQUIRED = "from typing_extensions import NotRequired\n"
GUARDED = f"if TYPE_CHECKING:\n    {NOT_REQUIRED}"
DRAFT = "http://json-schema.org/draft-07/schema#"


def generated() -> str:
    """Return the text of the module."""
    schemas = type_schemas()
    code = generate(
        json.dumps({"$schema": DRAFT, "definitions": schemas}),
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.TypingTypedDict,
        target_python_version=PythonVersion.PY_310,
        enum_field_as_literal=LiteralType.All,
        use_schema_description=True,
        use_single_line_docstring=True,
        keep_model_order=True,
        skip_root_model=True,
        custom_file_header=HEADER,
        formatters=[Formatter.BUILTIN],
    )
    assert isinstance(code, str)
    assert code.count(NOT_REQUIRED) == 1
    guarded = f"{GUARDED}\n__all__ = {sorted(schemas)}\n"
    code = code.replace(NOT_REQUIRED, guarded).replace("from typing import ", "from typing import TYPE_CHECKING, ", 1)
    return _formatted(code)


def _formatted(code: str) -> str:
    for arguments in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(FILE), "-"]
        code = subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout
    return code


if __name__ == "__main__":
    text = generated()
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        sys.exit(f"{FILE.name} is not what the document says. Run `make generate`.")
