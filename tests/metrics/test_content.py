"""Cosines of outputs and inputs, against scikit-learn's and scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, ttest_1samp
from sklearn.metrics.pairwise import cosine_similarity

from grader.metrics.content import content


def test_against_independent_values() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(0.3, 1, (30, 8))
    outputs = inputs + rng.normal(0, 1.5, inputs.shape)
    found = content(outputs, inputs)
    cosine = cosine_similarity(outputs, inputs)
    own = np.diag(cosine)
    assert found.value == pytest.approx(own.mean())
    interval = ttest_1samp(own, 0).confidence_interval(0.95)
    assert found.interval == pytest.approx((interval.low, interval.high))
    resampled = bootstrap((own,), np.mean, rng=np.random.default_rng(1), n_resamples=2000).confidence_interval
    assert found.interval == pytest.approx((resampled.low, resampled.high), abs=0.03)
    assert found.others == pytest.approx((cosine.sum() - own.sum()) / (30 * 29))
    assert found.nearest == pytest.approx(np.mean(cosine.argmax(1) == np.arange(30)))


def test_unchanged_and_exchanged_images() -> None:
    inputs = np.eye(4) + 0.1
    assert content(inputs, inputs).value == pytest.approx(1) and content(inputs, inputs).nearest == 1
    assert content(inputs[::-1], inputs).nearest == 0
    alike = np.ones((3, 2))
    assert content(alike, alike).nearest == 0  # a tie is no sign of one's own input


def test_few_images_and_none() -> None:
    one = content(np.array([[0.0, 2.0]]), np.array([[0.0, 1.0]]))
    assert one == content(np.array([[0.0, 1.0]]), np.array([[0.0, 3.0]])) and one.value == 1
    assert one.interval is None and one.others is None and one.nearest is None
    assert content(np.zeros((2, 3)), np.ones((2, 3))).value == 0  # no direction is like no other
    for outputs, inputs in ((np.zeros((0, 3)), np.zeros((0, 3))), (np.zeros((2, 3)), np.zeros((3, 3)))):
        with pytest.raises(ValueError, match="as many outputs as inputs"):
            content(outputs, inputs)
