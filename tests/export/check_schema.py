"""The own JSON that test_record_json wrote is valid by docs/intrados_record.schema.json, and the schema can say no.

    check_schema.py SCHEMA FOLDER      exit 77 where python3-jsonschema is not installed or nothing was written
"""
import copy
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
files = sorted(pathlib.Path(sys.argv[2]).glob("*.json"))
if not files:
    print("nothing was written")
    sys.exit(1)
for path in files:
    errors = list(validator.iter_errors(json.loads(path.read_text())))
    for e in errors[:5]:
        print(f"{path.name}: {'/'.join(map(str, e.absolute_path))}: {e.message}")
    if errors:
        sys.exit(1)

good = json.loads((pathlib.Path(sys.argv[2]) / "full.json").read_text())
spoil = [
    lambda d: d.update(intrados_record=2),
    lambda d: d.update(house_key=1),
    lambda d: d["inspections"][0].update(height_m="0.3"),
    lambda d: d["inspections"][0]["observations"][0].update(clock_from=13),
    lambda d: d["inspections"][0]["observations"][0]["grades"][0].update(scale="best"),
    lambda d: d["inspections"][0]["observations"][0]["source"].append(["alone"]),
]
for i, damage in enumerate(spoil):
    bad = copy.deepcopy(good)
    damage(bad)
    if validator.is_valid(bad):
        print(f"the schema takes damage {i}")
        sys.exit(1)
print(f"{len(files)} files are valid, {len(spoil)} damaged ones are not")
