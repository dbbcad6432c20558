package org.kerasvit.app

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Color
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.mediapipe.framework.image.BitmapImageBuilder
import com.google.mediapipe.tasks.core.BaseOptions
import com.google.mediapipe.tasks.vision.imageclassifier.ImageClassifier
import kotlin.math.abs

private const val TIMED = 5 // runs, of which the median counts
private const val SAME = 0.02f // how far a GPU, which may calculate with 16 bits, may be from the CPU

/** One way to run the model: red, green and blue of a prepared photo in, a number for each label out. */
interface Engine : AutoCloseable {
    fun answers(levels: IntArray): FloatArray
}

/** LiteRT's CompiledModel on one accelerator. */
class LiteRtEngine(context: Context, private val file: ModelFile, accelerator: Accelerator) : Engine {
    private val model = CompiledModel.create(context.assets, MODEL, CompiledModel.Options(accelerator), null)
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    override fun answers(levels: IntArray): FloatArray {
        if (file.isFloat) {
            inputs[0].writeFloat(FloatArray(levels.size) { levels[it].toFloat() })
        } else {
            inputs[0].writeInt8(ByteArray(levels.size) { levels[it].toByte() })
        }
        model.run(inputs, outputs)
        return outputs[0].readFloat()
    }

    override fun close() {
        inputs.forEach { it.close() }
        outputs.forEach { it.close() }
        model.close()
    }
}

/** MediaPipe's ImageClassifier. The photo has the size of the input already, so that nothing is stretched. */
class MediaPipeEngine(context: Context, private val file: ModelFile) : Engine {
    private val classifier = ImageClassifier.createFromOptions(
        context,
        ImageClassifier.ImageClassifierOptions.builder()
            .setBaseOptions(BaseOptions.builder().setModelAssetPath(MODEL).build())
            .build()
    )

    override fun answers(levels: IntArray): FloatArray {
        val pixels = IntArray(levels.size / 3) {
            Color.rgb(levels[3 * it], levels[3 * it + 1], levels[3 * it + 2])
        }
        val (width, height) = Pair(file.preparation.width, file.preparation.height)
        val bitmap = Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
        val found = classifier.classify(BitmapImageBuilder(bitmap).build())
        val categories = found.classificationResult().classifications()[0].categories()
        val answers = FloatArray(categories.size)
        for (category in categories) answers[category.index()] = category.score()
        return answers
    }

    override fun close() = classifier.close()
}

/** The fastest engine of those that give the CPU's answers, and a line on each of them. */
class Engines(context: Context, file: ModelFile) : AutoCloseable {
    val best: Engine
    val report: String

    init {
        val lines = mutableListOf<String>()
        val found = mutableListOf<Triple<String, Engine, Long>>()
        val size = 3 * file.preparation.height * file.preparation.width
        val levels = IntArray(size) { it * 97 % 256 }
        var expected: FloatArray? = null
        val candidates = listOf<Pair<String, () -> Engine>>(
            Pair("LiteRT CPU", { LiteRtEngine(context, file, Accelerator.CPU) }), // the others are compared with it
            Pair("MediaPipe", { MediaPipeEngine(context, file) }), // also on the CPU
            Pair("LiteRT GPU", { LiteRtEngine(context, file, Accelerator.GPU) })
        )
        for ((name, open) in candidates) {
            var engine: Engine? = null
            try {
                check(expected != null || "GPU" !in name) { "no answers of the CPU to compare with" }
                engine = open()
                val answers = engine.answers(levels) // the first run is slow
                val right = expected ?: answers
                val scale = maxOf(1f, right.maxOf { abs(it) })
                check(answers.indices.all { abs(answers[it] - right[it]) <= SAME * scale }) { "its answers differ" }
                expected = right
                val times = List(TIMED) {
                    val started = System.nanoTime()
                    engine.answers(levels)
                    System.nanoTime() - started
                }
                val median = times.sorted()[TIMED / 2]
                lines += "%s %.1f ms".format(name, median / 1e6)
                found += Triple(name, engine, median)
            } catch (error: Throwable) { // also of a native library that is missing on this device
                engine?.close()
                lines += "$name is not used: ${error.message}"
            }
        }
        val (name, fastest) = found.minByOrNull { it.third } ?: error(lines.joinToString("; "))
        best = fastest
        found.forEach { (_, engine) -> if (engine !== best) engine.close() }
        report = "${lines.joinToString(", ")}. Runs on $name."
    }

    override fun close() = best.close()
}
