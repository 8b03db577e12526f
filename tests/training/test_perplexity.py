import math

import numpy as np
import pytest

from bert.training import perplexity


def test_a_perplexity_stands_beside_its_loss():
    figures = perplexity.beside({"loss": 3.0, "masked_lm_loss": 2.5})
    assert list(figures) == ["loss", "masked_lm_loss", "perplexity"]
    assert figures["perplexity"] == pytest.approx(math.exp(2.5))
    assert figures["perplexity"].dtype == np.float32


@pytest.mark.parametrize("kind", [float, np.float32])
def test_one_that_is_too_large_is_infinite(kind):
    assert perplexity.beside({"masked_lm_loss": kind(800)})["perplexity"] == (
        math.inf
    )
    found = perplexity.beside({"masked_lm_loss": kind("nan")})["perplexity"]
    assert math.isnan(found)


def test_without_that_loss_there_is_none():
    assert perplexity.beside({"loss": 3.0}) == {"loss": 3.0}


@pytest.mark.parametrize("term", ["distillation_loss", "relations_loss"])
def test_beside_a_teachers_terms_there_is_none(term):
    figures = {"masked_lm_loss": 1.2, term: 0.3}
    assert perplexity.beside(figures) == figures
