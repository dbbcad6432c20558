"""Images with labels: classes, several labels, or numbers."""

import dataclasses
import functools

import keras

from keras_vit.errors import InputError, warn
from keras_vit.io.files import write_text
from keras_vit.io.json_files import write_json
from keras_vit.io.label_names import read_label_names
from keras_vit.io.output_meaning import OutputMeaning, read_output_meaning
from keras_vit.pretrained.run_source import saved_preprocessing
from keras_vit.training.augmentation.own import OwnAugmentation
from keras_vit.training.balance import ACCURACY, BALANCED, BALANCED_ACCURACY, check_watched
from keras_vit.training.data import ImageData, load_data
from keras_vit.training.data.label_kinds import strata
from keras_vit.training.data.order import WHOLE, Sampling, steps_per_epoch
from keras_vit.training.data.streams import (
    evaluation_batches,
    evaluation_stream,
    reading_errors,
    shared,
    train_stream,
)
from keras_vit.training.distillation import with_teacher
from keras_vit.training.fine_tuning.lora import add_lora, merged
from keras_vit.training.fine_tuning.rates import with_rates_by_depth
from keras_vit.training.fine_tuning.weights import pretrained_model, with_image_size
from keras_vit.training.flexible_patches import FlexiblePatches
from keras_vit.training.geometry import (
    image_size_of,
    preparation_of_data,
    preparation_of_recipe,
    prepare_option,
    with_statistics,
)
from keras_vit.training.memory import memory_hint
from keras_vit.training.normalization import normalized_model
from keras_vit.training.own_model import FromImages
from keras_vit.training.own_parts import metric_name, own_metrics
from keras_vit.training.predictions import write_predictions
from keras_vit.training.progressive_size import ProgressiveSize
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.recipe_file import as_started
from keras_vit.training.report import write_report
from keras_vit.training.shared_weights import training_model
from keras_vit.training.targets import target_of
from keras_vit.training.targets.unknown import check_has_classes, fit_none_below, read_unknown, scored
from keras_vit.training.tasks.task import Prepared, Task

HELD_OUT = ("validation", "test")  # splits


class ImageTask(Task):
    """Images with labels of one kind, the `target`. The data are `ImageData`; `labels.txt` has the names."""

    recipe_class = ImageRecipe
    data_class = ImageData
    kind = items = "images"
    tested = ("num_images", "images")
    measurable = True
    contract = FromImages

    def __init__(self, recipe, known=None, data=None):
        super().__init__(with_image_size(recipe))
        self.known = known  # Preprocessing that was decided, before the data or with them
        self.target = target_of(self.recipe, data)

    def continuing(self, folder):
        recipe = as_started(_with_its_monitor(self.recipe, folder), folder.recipe)
        return type(self)(recipe, saved_preprocessing(folder.path))

    def knowing(self, data):
        if not isinstance(data, ImageData):
            return self
        task = type(self)(self.recipe, self.known, data)
        check_watched(self.recipe.monitor, data)
        return task

    def check_recipe(self):
        self.target.check_recipe()

    @property
    def single_device(self):
        several = self.recipe.flexible_patches or self.recipe.progressive_size
        return "flexible_patches and progressive_size are for one device" if several else ""

    @property
    def metrics(self):
        return self.target.metrics

    @property
    def monitor(self):
        name, better = self.target.monitor
        return f"val_{name}", better

    def decided(self, data):
        return {
            "label_kind": data.label_kind,
            "near_duplicates": data.near_duplicates,
            "monitor": self.monitor[0].removeprefix("val_"),
        }

    @property
    def unused(self):
        return self.target.unused

    def preparation(self, spec, data_dir=None):
        """Returns the `Preprocessing` of the images of a spec, or of a name of data."""
        if self.known is None:
            self.known = preparation_of_recipe(self.recipe, spec, data_dir)
        size = image_size_of(self.recipe)
        return self.known if size is None else self.known.for_size(size)

    def load_data(self, data_dir=None):
        return self._load(self.recipe.data, data_dir)

    def take(self, data, data_dir=None):
        if not isinstance(data, ImageData):
            return self._load(data, data_dir)
        if self.recipe.fold is not None:
            raise InputError(
                "Folds are made of images that have no splits yet: give what load_data takes, such as "
                "(images, labels), and not ImageData, which it returns."
            )
        self.known = preparation_of_data(self.recipe, data, self.known)
        return data

    def _load(self, spec, data_dir):
        recipe, decided = self.recipe, self.known
        prepare = prepare_option(self.preparation(spec, data_dir))
        options = {
            **self.options_of(load_data),
            "image_size": image_size_of(recipe),
            "sixteen_bit": recipe.sixteen_bit if self.known.window is None else None,
        }
        data = load_data(spec, data_dir=data_dir, **options, **prepare)
        own = data.preparation
        if own is not None and getattr(own, "geometry", None) != self.known.geometry:
            self.known = preparation_of_data(recipe, data, decided)  # of ImageData that a function returned
        if data.window is not None:
            self.known = dataclasses.replace(self.known, window=data.window)
        return data

    def build_model(self, data):
        if self.recipe.pretrained is not None:
            return self._build_pretrained(data)
        height, width, channels = data.image_shape
        build = functools.partial(
            self.build, image_size=(height, width), channels=channels, num_classes=data.num_classes
        )
        kind = self.recipe.normalization
        model = build() if kind is None else normalized_model(kind, data.train.images, build)
        return self.target.finished(model)

    def _prepare(self, data):
        model, recipe = self.build_model(data), self.recipe
        if recipe.distill is not None:
            distillation, same_teacher = with_teacher(recipe, model, data, self.target.activation)
            return Prepared(distillation, data, model, (same_teacher,))
        if recipe.flexible_patches:
            layer = FlexiblePatches(model, recipe.flexible_patches, recipe.seed)
        elif recipe.progressive_size:
            num_steps = self.steps_per_epoch(data) * recipe.epochs
            layer = ProgressiveSize(model, recipe.progressive_size, num_steps)
        else:
            return Prepared(model, data)
        return Prepared(training_model(layer), data, whole=model)

    def _build_pretrained(self, data):
        model = pretrained_model(self.recipe, data)
        if self.recipe.tuning == "lora":
            add_lora(model, self.recipe.lora_rank)
        return self.target.finished(model)

    def final_model(self, model):
        return merged(model) if self.recipe.tuning == "lora" else super().final_model(model)

    def optimizer_class(self, optimizer_class, model, num_steps):
        recipe, is_gradual = self.recipe, self.recipe.tuning == "gradual"
        if recipe.layer_decay == 1 and not is_gradual:
            return optimizer_class
        unfreeze_every = recipe.unfreeze_every * (num_steps // recipe.epochs) if is_gradual else None
        num_layers = model.get_layer("encoder").num_layers
        return with_rates_by_depth(optimizer_class, num_layers, recipe.layer_decay, unfreeze_every)

    def steps_per_epoch(self, data):
        return steps_per_epoch(len(data.train), self.recipe.batch_size)

    def compile_options(self):
        return self.target.compile_options()

    def logged(self):
        own = {metric_name(metric): None for metric in own_metrics(self.recipe)}
        return {f"val_{name}": better for name, better in {**self.target.logged(), **own}.items()}

    def streams(self, data, start_epoch=0, start_step=0, share=WHOLE):
        recipe = self.recipe
        options = {"num_classes": data.num_classes, "batch_size": recipe.batch_size}
        train = train_stream(
            data.train,
            epochs=recipe.epochs,
            seed=recipe.seed,
            augmentation=recipe.augmentations,
            crop=recipe.random_crop,
            own=None if recipe.augmentation is None else OwnAugmentation(recipe.augmentation),
            start_epoch=start_epoch,
            start_step=start_step,
            share=share,
            class_weights=self.target.weights(),
            sampling=self.sampling(data),
            calm_epoch=round(recipe.augmentation_until * recipe.epochs),
            **options,
        )
        validation = evaluation_stream(data.validation, **options)
        return {"x": train, "validation_data": shared(validation, share)}

    def sampling(self, data):
        """Returns which training images each epoch has."""
        labels, is_balanced = data.train.labels, self.recipe.sampling == BALANCED
        return Sampling(len(labels), strata(labels, data.label_kind) if is_balanced else None)

    def fingerprint_arrays(self, data):
        return [*data.train.fingerprint(), *data.validation.fingerprint()]

    def rank(self, logs):
        name, better = self.monitor
        return [float(logs[name]) * (1 if better == "max" else -1), -float(logs["val_loss"])]

    def describe(self, folder, prepared):
        write_text(folder.labels, "".join(f"{name}\n" for name in prepared.data.label_names))
        if not folder.metrics.is_file():  # of an evaluated model it is known already
            OutputMeaning(self.target.task, self.target.activation).write(folder.path)
        model = prepared.whole or prepared.model
        if model.input_shape[-1] in (1, 3):  # as images in files have
            known = with_statistics(self.preparation(prepared.data.name), model)
            write_json(folder.preprocessing, dataclasses.asdict(known))

    def notes(self, data):
        known = self.preparation(data.name).for_size(data.image_shape[:2])
        return [f"prepared    {known.words}", *self.target.notes]

    def hint(self, prepared):
        return memory_hint(prepared.whole or prepared.model, self.recipe.batch_size)

    def place(self, metrics):
        advice = (
            "add images" if self.recipe.pretrained else "add images, or try vit_few_shot (public weights)"
        )
        return self.target.place(metrics, advice)

    def check_described(self, folder, data):
        trained = read_label_names(folder.labels)
        if trained != tuple(data.label_names):
            raise InputError(
                f"The data have other classes than {folder.path} was trained on: expected {len(trained)} "
                f"({', '.join(trained[:5])} ...), received {len(data.label_names)} "
                f"({', '.join(data.label_names[:5])} ...)."
            )

    def check_model(self, folder, model, data):
        expected = ((None, *data.image_shape), (None, data.num_classes))
        if (model.input_shape, model.output_shape) != expected:
            raise InputError(
                f"Expected {folder.model} to be a model from {expected[0]} to {expected[1]}, as its data "
                f"are, received one from {model.input_shape} to {model.output_shape}. Put the run's own "
                "model there."
            )

    def evaluate(self, folder, model, data, unsure=None):
        target = self.target  # of these data, by `knowing`
        outputs = {name: predict_outputs(model, data.splits[name].images) for name in HELD_OUT}
        fitted = target.fit(outputs["validation"], data.validation.labels)
        every = {name: target.answers(values, fitted) for name, values in outputs.items()}
        none_below, unsure_metrics = self._none_of_these(folder, model, data, every, fitted, unsure)
        metrics = {
            "data": data.name,
            "split": "test",
            "num_images": len(data.test.labels),
            **({} if data.test.num_groups is None else {"num_groups": data.test.num_groups}),
            "parameters": model.count_params(),
            "backend": keras.backend.backend(),
            **target.evaluate(outputs["test"], data.test.labels, data.label_names, fitted),
            **unsure_metrics,
            **self.extra_metrics(model, data),
        }
        recipe = {name: value for name, value in self.recipe.as_dict().items() if name not in target.unused}
        place = self.place(metrics)
        write_report(folder.path, model, data, every["test"], metrics, folder.history, recipe, place)
        write_predictions(folder.predictions, data, every, fitted.get("thresholds"))
        OutputMeaning(target.task, target.activation, **fitted, none_below=none_below).write(folder.path)
        write_json(folder.metrics, metrics)  # written last: marks the run complete
        return metrics

    def _none_of_these(self, folder, model, data, answers, fitted, unsure):
        """The score below which a class is no answer: as wanted, or that of an earlier evaluation."""
        earlier = _earlier_meaning(folder)
        least = earlier.none_below
        if unsure is None and least is None:
            return None, {}
        check_has_classes(self.target.task)
        known = {name: scored(answers[name], data.splits[name].labels) for name in HELD_OUT}
        unknown = None
        if unsure is not None and unsure.unknown is not None:
            *size, channels = data.image_shape
            halves = read_unknown(unsure.unknown, self.preparation(data.name).for_size(size), channels)
            outputs = [predict_outputs(model, half) for half in halves]
            unknown = [self.target.answers(each, fitted).max(axis=1) for each in outputs]
        least, figures = fit_none_below(unsure, known, unknown, least)
        if unsure is None and not earlier.is_calibrated_by(fitted):
            warn(
                f"Probabilities are calibrated again, and that below which the answer is none of these, "
                f"{least:.4f}, was fitted before: fit it again with keras-vit evaluate {folder.path} "
                "--precision P."
            )
        return least, {"none_of_these": figures}

    def extra_metrics(self, model, data):
        """Returns entries of `metrics.json` that not every classifier has."""
        return {}


def _earlier_meaning(folder):
    """What outputs mean by an earlier evaluation; a damaged file is written again."""
    try:
        return read_output_meaning(folder.path)
    except InputError as error:
        lost = "If pictures were to get no class, fit the probability again with --precision."
        warn(f"{str(error).partition(':')[0]}, and is written again. {lost}")
        return OutputMeaning()


def predict_outputs(model, images, batch_size=256):
    """Returns the outputs of a model, such as logits, `(n, num_names)`."""
    with reading_errors():
        return model.predict(evaluation_batches(images, batch_size), verbose=0)


def _with_its_monitor(recipe, folder):
    """The recipe of a run that was started before the data decided what chooses its best epoch."""
    if recipe.monitor is not None or not folder.history.is_file():
        return recipe
    with open(folder.history, encoding="utf-8") as file:
        columns = file.readline().strip().split(",")
    by_accuracy = f"val_{ACCURACY}" in columns and f"val_{BALANCED_ACCURACY}" not in columns
    return recipe.replace(monitor=ACCURACY) if by_accuracy else recipe
