import pytest

from bert.modeling import cpu_bfloat16


@pytest.fixture
def cpu_info(tmp_path, monkeypatch):
    """Returns what makes a machine say something of its processor."""

    def say(text):
        path = tmp_path / "cpuinfo"
        path.write_text(text)
        monkeypatch.setattr(cpu_bfloat16, "_CPU_INFO", str(path))
        cpu_bfloat16.has_bfloat16.cache_clear()

    yield say
    cpu_bfloat16.has_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 sse\n", True),
        ("flags\t\t: fpu amx_bf16\n", True),
        ("flags\t\t: fpu avx512f avx512_bf16_no\n", False),
        ("Features\t: fp asimd bf16\n", False),
        ("", False),
    ],
)
def test_linux_says_what_x86_processors_multiply(cpu_info, text, expected):
    cpu_info(text)
    assert cpu_bfloat16.has_bfloat16() is expected


def test_elsewhere_nothing_says_it(cpu_info, monkeypatch):
    cpu_info("flags: amx_bf16")
    monkeypatch.setattr(cpu_bfloat16, "_CPU_INFO", "/no/such/file")
    assert not cpu_bfloat16.has_bfloat16()


def test_a_product_is_timed_in_both_types():
    assert 0.001 < cpu_bfloat16.speed_up() < 1000
