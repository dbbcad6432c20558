package org.kerasvit.app

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sin

private const val ONE = 4194304.0 // the weight 1 where Pillow calculates with whole numbers

/**
 * Makes of a photo what the model was trained on, as the fields of `preprocessing` in model.json say: resized with
 * averaging, cropped or with a border. `border` are the levels of red, green and blue around a whole photo.
 */
class Preparation(
    val height: Int,
    val width: Int,
    private val cropRatio: Double,
    private val cropMode: String,
    private val interpolation: String,
    private val rounded: Boolean,
    private val border: IntArray
) {
    /** Returns red, green and blue, from 0 to 255, of `height * width` pixels; those of the photo are ARGB. */
    fun prepare(pixels: IntArray, photoWidth: Int, photoHeight: Int): IntArray {
        val (rows, columns) = spans(photoHeight, photoWidth)
        val wide = resampledRows(pixels, photoWidth, photoHeight, columns)
        val result = IntArray(height * width * 3) { if (cropMode == "border") border[it % 3] else 0 }
        val top = (height - rows.count) / 2
        val left = (width - columns.count) / 2
        val taps = taps(photoHeight, rows)
        for (y in 0 until rows.count) {
            val (first, weights) = taps[y]
            for (x in 0 until columns.count * 3) {
                var sum = 0.0
                for (i in weights.indices) sum += weights[i] * wide[(first + i) * columns.count * 3 + x]
                result[((y + top) * width + left) * 3 + x] = level(sum).toInt()
            }
        }
        return result
    }

    /** Resizes the width of each row; between the two directions Pillow rounds, others do not. */
    private fun resampledRows(pixels: IntArray, photoWidth: Int, photoHeight: Int, span: Span): FloatArray {
        val result = FloatArray(photoHeight * span.count * 3)
        taps(photoWidth, span).forEachIndexed { x, (first, weights) ->
            for (y in 0 until photoHeight) {
                var red = 0.0
                var green = 0.0
                var blue = 0.0
                for (i in weights.indices) {
                    val pixel = pixels[y * photoWidth + first + i]
                    red += weights[i] * (pixel shr 16 and 255)
                    green += weights[i] * (pixel shr 8 and 255)
                    blue += weights[i] * (pixel and 255)
                }
                val place = (y * span.count + x) * 3
                result[place] = between(red)
                result[place + 1] = between(green)
                result[place + 2] = between(blue)
            }
        }
        return result
    }

    private fun between(sum: Double) = if (rounded) level(sum).toFloat() else sum.toFloat()

    private fun level(sum: Double) =
        (if (rounded) floor(sum / ONE + 0.5) else Math.rint(sum)).coerceIn(0.0, 255.0)

    /** To how many rows or columns it is resized, the first that is not cropped, and how many are left. */
    private class Span(val resized: Int, val first: Int, val count: Int)

    private fun spans(photoHeight: Int, photoWidth: Int): List<Span> {
        val resized = resizedSize(intArrayOf(photoHeight, photoWidth))
        return listOf(height, width).mapIndexed { axis, final ->
            val side = resized[axis]
            val room = (side - final) / 2.0
            val first = if (cropMode == "shortest_edge") floor(room).toInt() else Math.rint(room).toInt()
            if (side <= final) Span(side, 0, side) else Span(side, first, final)
        }
    }

    private fun resizedSize(photo: IntArray): IntArray {
        val scaled = intArrayOf(height, width).map { max(floor(it / cropRatio).toInt(), 1) }
        if (cropMode == "squash") return scaled.toIntArray()
        if (cropMode == "shortest_edge" || (cropMode == "center" && scaled[0] == scaled[1])) {
            val edge = min(scaled[0], scaled[1])
            val short = min(photo[0], photo[1])
            return photo.map { if (it == short) edge else (edge.toLong() * it / short).toInt() }.toIntArray()
        }
        val ratios = photo.indices.map { photo[it].toDouble() / scaled[it] }
        val ratio = if (cropMode == "border") max(ratios[0], ratios[1]) else min(ratios[0], ratios[1])
        return photo.map { max(Math.rint(it / ratio).toInt(), 1) }.toIntArray()
    }

    /** For each place of a span the first pixel that counts, and the weights from there on. */
    private fun taps(side: Int, span: Span): List<Pair<Int, DoubleArray>> {
        val scale = side.toDouble() / span.resized
        val one = if (rounded) ONE else 1.0
        if (interpolation == "nearest") {
            return List(span.count) { Pair(floor((it + span.first + 0.5) * scale).toInt(), doubleArrayOf(one)) }
        }
        val reach = when (interpolation) {
            "bilinear" -> 1
            "bicubic" -> 2
            else -> 3
        }
        val stretched = max(scale, 1.0)
        return List(span.count) {
            val center = (it + span.first + 0.5) * scale
            val start = max(0, floor(center - reach * stretched + 0.5).toInt())
            val end = min(side, floor(center + reach * stretched + 0.5).toInt())
            val weights = DoubleArray(end - start) { i ->
                val distance = abs(start + i - center + 0.5) / stretched
                if (distance < reach) weight(distance) else 0.0
            }
            val total = weights.sum()
            for (i in weights.indices) {
                weights[i] = if (rounded) floor(ONE * weights[i] / total + 0.5) else weights[i] / total
            }
            Pair(start, weights)
        }
    }

    private fun weight(x: Double) = when (interpolation) {
        "bilinear" -> 1 - x
        "bicubic" -> if (x < 1) (1.5 * x - 2.5) * x * x + 1 else -0.5 * (((x - 5) * x + 8) * x - 4)
        else -> sinc(x) * sinc(x / 3)
    }

    private fun sinc(x: Double) = if (x == 0.0) 1.0 else sin(PI * x) / (PI * x)
}
