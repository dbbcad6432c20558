"""Trains a small recipe on logical devices of the CPU, in a separate process.

    python worker.py BACKEND COUNT RUN_DIR '{"devices": "2", "overrides": ["epochs=1"], "stop_at": [1, 2]}'

COUNT devices are made; `devices` of them are used, or one without. With `stop_at` the training ends in the
epoch and step given, as power loss would end it, with `dies` that of the process of this number alone; with
`ask_at` the process numbered `asked` is asked there to stop; with `resume` it continues.
"""

import json
import os
import signal
import sys

# The norm is clipped hard, so that it matters what is clipped. The last batch of validation is not whole.
RECIPE = {
    "variant": "Pico/4",
    "num_layers": 1,
    "hidden_dim": 16,
    "num_heads": 2,
    "mlp_dim": 32,
    "subset": 320,
    "epochs": 2,
    "batch_size": 64,
    "learning_rate": 1e-2,
    "clip_norm": 0.05,
    "crop_padding": 1,
}


def main(backend, count, run_dir, options):
    make_devices(backend, count)
    from keras_vit.training.devices import open_engine
    from keras_vit.training.fit import fit
    from keras_vit.training.recipe import ImageRecipe, override

    engine = open_engine(options.get("devices"))
    callbacks = []
    if "stop_at" in options and options.get("dies", engine.share.index) == engine.share.index:
        callbacks.append(strike(*options["stop_at"], lambda: os._exit(9)))
    if options.get("asked") == engine.share.index:
        callbacks.append(strike(*options["ask_at"], lambda: signal.raise_signal(signal.SIGTERM)))
    try:
        fit(
            override(ImageRecipe(**RECIPE), options.get("overrides", [])),
            engine.run_dir(run_dir),
            resume=options.get("resume", False),
            checkpoint_every="2",
            callbacks=callbacks,
            engine=engine,
        )
    except KeyboardInterrupt as interrupted:
        print(interrupted)
        sys.exit(interrupted.exit_code)


def make_devices(backend, count):
    os.environ["KERAS_BACKEND"] = backend
    if backend == "jax":
        os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={count}"
        return
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)


def strike(epoch, step, act):
    import keras

    class Strike(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == (epoch, step):
                act()

    return Strike()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4]))
