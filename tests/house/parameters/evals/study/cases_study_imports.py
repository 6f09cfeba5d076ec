"""Answers from elsewhere."""

from __future__ import annotations

from parameters.harness import case, later, record

MAPPING = """version: 1
participant: {{column: who}}
item: item
condition: {{column: condition}}
tasks: [{{name: ease, kind: rating, column: {column}}}]
"""
TIDY = "participant,phase,task,kind,response,value,item,condition\n{who},trial,ease,rating,4,4,i,c\n"
WIDE = "who,item,condition,one,two\np1,i1,heatmap,{value},5\np2,i1,heatmap,x,5\n"


def file(name, text):
    def made(tools):
        path = tools.folder / name
        path.write_text(text)
        return path

    return later(made)


def files(name, text):
    made = file(name, text)
    return later(lambda tools: [made.make(tools)])


def noted(result, tools, given):
    return result, given.get("problems")


ONE, TWO = MAPPING.format(column="one"), MAPPING.format(column="two")
case("evals.study.imports.detect", {"path": file("a.csv", TIDY.format(who="a"))}, path=file("a.csv", "a,b\n1,2\n"))
case("evals.study.imports.read_mapping", {"path": file("m.yaml", ONE)}, path=file("m.yaml", TWO))
case(
    "evals.study.imports.read_columns",
    {"paths": files("a.csv", WIDE.format(value=3)), "mapping": file("m.yaml", ONE), "problems": later(lambda _: [])},
    noted,
    paths=files("a.csv", WIDE.format(value=4)),
    mapping=file("m.yaml", TWO),
    problems=None,
)
case(
    "evals.study.imports.read_answers",
    {"paths": files("a.csv", TIDY.format(who="a")), "problems": later(lambda _: [])},
    noted,
    paths=files("a.csv", TIDY.format(who="b")),
    form="none-such",
    columns=file("m.yaml", ONE),
    study=later(lambda tools: tools),
)
case(
    "evals.study.imports.read_answers",
    {"paths": files("a.csv", TIDY.format(who="a") + ",trial,ease,rating,4,4,i,c\n"), "problems": later(lambda _: [])},
    noted,
    problems=None,
)
record("evals.study.imports.Import", {"summary": "s", "fits": min, "read": max}, summary="t", fits=max, read=min, judged=False)
