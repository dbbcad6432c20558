"""The values and metrics of a trial on TensorBoard's HParams page."""


def write_hparams(folder, trial, values, metrics, step):
    """Writes a trial's values and last metrics into its TensorBoard folder.

    Args:
        folder: str or Path.
        trial: str, its id.
        values: dict from a field to its value.
        metrics: dict of floats, such as `val_accuracy`.
        step: int, the epoch of the metrics.
    """
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(values, trial_id=trial)
        for name, value in metrics.items():
            tf.summary.scalar(name, value, step=step)
