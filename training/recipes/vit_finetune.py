"""All weights of a pretrained Vision Transformer, trained on; those near the pixels more slowly.

    keras-vit train vit_finetune data=folder:PATH --pretrained SOURCE --run-dir runs/photos

PATH holds one folder of images per class; SOURCE is a hub id, a folder, a file or a run folder.
`tuning=gradual` trains the head first and then one block more every epoch, `tuning=lora` low-rank
additions to the blocks alone.
"""

from keras_vit.training import ImageRecipe

RECIPE = ImageRecipe(
    data="folder:photos",
    test_fraction=0.2,
    pretrained="timm/vit_small_patch16_224.augreg_in21k_ft_in1k",
    layer_decay=0.75,
    drop_path_rate=0.1,
    epochs=20,
    batch_size=8,
    learning_rate=5e-4,
    crop_area=0.35,
    flip=True,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    hue=0.05,
)
