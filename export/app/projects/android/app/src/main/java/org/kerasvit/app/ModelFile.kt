package org.kerasvit.app

import android.content.Context
import android.graphics.Color
import org.json.JSONArray
import org.json.JSONObject

const val MODEL = "model.tflite"
private const val FACTS = "model.json" // written by the export, next to the model

/** What model.json says of the model: nothing of it stands in the code. */
class ModelFile(context: Context) {
    private val facts = JSONObject(context.assets.open(FACTS).bufferedReader().use { it.readText() })
    private val input = facts.getJSONArray("inputs").getJSONObject(0)
    private val output = facts.getJSONArray("outputs").getJSONObject(0)
    private val photo = facts.getJSONObject("preprocessing")

    val isFloat = input.getString("dtype") == "float32"
    val task: String = output.getString("task")
    val labels = facts.optJSONArray("label_names")?.let { names -> List(names.length(), names::getString) }
    val thresholds = output.optJSONArray("thresholds")?.let { least -> List(least.length(), least::getDouble) }
    val noneBelow = output.optDouble("none_below", 0.0)
    val background = photo.getJSONArray("background").let { Color.rgb(it.getInt(0), it.getInt(1), it.getInt(2)) }
    val preparation = photo.getJSONArray("image_size").let { size ->
        Preparation(
            size.getInt(0),
            size.getInt(1),
            photo.getDouble("crop_ratio"),
            photo.getString("crop_mode"),
            photo.getString("interpolation"),
            photo.getBoolean("rounded"),
            border(photo)
        )
    }

    private fun border(photo: JSONObject): IntArray {
        if (!photo.isNull("fill")) return IntArray(3) { Math.rint(255 * photo.getDouble("fill")).toInt() }
        val mean: JSONArray = photo.getJSONArray("mean")
        return IntArray(3) { Math.rint(255 * mean.getDouble(it % mean.length())).toInt() }
    }
}
