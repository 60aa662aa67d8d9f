import main
from main import add, pipeline, straight


def test_add():
    assert add(a=1, b=2) == 3
    assert add.task_function(a=2, b=2) == 4


def test_pipeline():
    assert pipeline(n=1) == "=5"


def test_straight():
    assert straight(n=1) == "=2"
    assert main.text(n=4) == "=4"
