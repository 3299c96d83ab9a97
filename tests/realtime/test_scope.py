"""What a scope says."""

from realtime.scope import header, headers, loggable, query_of


def test_of_a_name_given_twice_the_last_counts() -> None:
    assert query_of({"query_string": b"a=1&b=&a=2"}) == {"a": "2", "b": ""}
    scope = {"headers": [(b"x", b"1"), (b"y", b" 2 "), (b"x", b"3")]}
    assert (header(scope, b"x"), header(scope, b"y"), header(scope, b"z")) == ("3", "2", None)
    assert headers(scope, b"x") == ["1", "3"]


def test_a_path_is_one_word_of_a_log_line() -> None:
    assert loggable("/ws/\n/") == "/ws/\\n/"
    assert len(loggable("x" * 1000)) == 200
