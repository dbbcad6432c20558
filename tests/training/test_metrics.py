from keras_vit.training import metrics


def test_searches_know_the_metrics_of_each_kind_of_data():
    tables = [
        rows
        for rows in vars(metrics).values()
        if isinstance(rows, tuple) and rows and isinstance(rows[0], metrics.Metric)
    ]
    assert len(tables) > 5 and {row for rows in tables for row in rows} == set(metrics.ALL)
