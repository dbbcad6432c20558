"""Stand-ins in Kotlin for what the lines of `app.md` call on Android.

They have the signatures that LiteRT and MediaPipe publish; whether a phone's library still has them is not
tested.
"""

STANDINS = """
package standins
import java.io.InputStream
class Bitmap(val width: Int, val height: Int) {
    enum class Config { ARGB_8888 }
    fun getPixels(pixels: IntArray, offset: Int, stride: Int, x: Int, y: Int, width: Int, height: Int) {}
    companion object {
        fun createBitmap(colors: IntArray, width: Int, height: Int, config: Config) = Bitmap(width, height)
    }
}
class ImageInfo(val rotationDegrees: Int)
class ImageProxy(val imageInfo: ImageInfo) { fun toBitmap() = Bitmap(1, 1) }
class Assets { fun open(name: String): InputStream = "".byteInputStream() }
class Context(val assets: Assets)
enum class Accelerator { CPU, GPU, NPU }
class TensorBuffer : AutoCloseable {
    override fun close() {}
    fun writeFloat(data: FloatArray) {}
    fun writeInt(data: IntArray) {}
    fun writeLong(data: LongArray) {}
    fun writeInt8(data: ByteArray) {}
    fun readFloat() = FloatArray(1)
    fun readInt() = IntArray(1)
    fun readInt8() = ByteArray(1)
}
class CompiledModel {
    class Options(vararg val accelerators: Accelerator)
    fun createInputBuffers() = listOf(TensorBuffer())
    fun createOutputBuffers() = listOf(TensorBuffer())
    fun createInputBuffer(name: String, signature: String? = null) = TensorBuffer()
    fun createOutputBuffer(name: String, signature: String? = null) = TensorBuffer()
    fun run(inputs: List<TensorBuffer>, outputs: List<TensorBuffer>) {}
    fun run(
        inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String? = null
    ) {}
    companion object { fun create(assets: Assets, name: String, options: Options) = CompiledModel() }
}
enum class RunningMode { IMAGE }
class BaseOptions {
    class Builder { fun setModelAssetPath(name: String) = this; fun build() = BaseOptions() }
    companion object { fun builder() = Builder() }
}
class MPImage
class BitmapImageBuilder(bitmap: Bitmap) { fun build() = MPImage() }
class Category { fun categoryName() = ""; fun score() = 0f; fun index() = 0 }
class Classifications { fun categories() = listOf(Category()) }
class ClassificationResult { fun classifications() = listOf(Classifications()) }
class ImageClassifierResult { fun classificationResult() = ClassificationResult() }
class ImageClassifier {
    class ImageClassifierOptions {
        class Builder {
            fun setBaseOptions(options: BaseOptions) = this
            fun setRunningMode(mode: RunningMode) = this
            fun build() = ImageClassifierOptions()
        }
        companion object { fun builder() = Builder() }
    }
    fun classify(image: MPImage) = ImageClassifierResult()
    companion object {
        fun createFromOptions(context: Context, options: ImageClassifierOptions) = ImageClassifier()
    }
}
"""
SINCE_1_4 = """
fun <T, R : Comparable<R>> Iterable<T>.maxByOrNull(selector: (T) -> R): T? =
    sortedByDescending(selector).firstOrNull()
"""

ENGINES = """
package android.content
class Context { val assets = Any() }
///
package android.graphics
object Color { fun rgb(red: Int, green: Int, blue: Int) = (red shl 16) or (green shl 8) or blue }
class Bitmap {
    enum class Config { ARGB_8888 }
    companion object {
        fun createBitmap(colors: IntArray, width: Int, height: Int, config: Config) = Bitmap()
    }
}
///
package com.google.ai.edge.litert
enum class Accelerator { CPU, GPU }
class TensorBuffer(val answer: FloatArray = FloatArray(0)) {
    fun writeFloat(data: FloatArray) {}
    fun writeInt8(data: ByteArray) {}
    fun readFloat() = answer
    fun close() {}
}
class CompiledModel(val answer: FloatArray) {
    class Options(val accelerator: Accelerator)
    fun createInputBuffers() = listOf(TensorBuffer())
    fun createOutputBuffers() = listOf(TensorBuffer(answer))
    fun run(inputs: List<TensorBuffer>, outputs: List<TensorBuffer>) {}
    fun close() {}
    companion object {
        val answers = mutableMapOf<Accelerator, FloatArray>()  // without one the accelerator does not start
        fun create(assets: Any, name: String, options: Options, environment: Any?) =
            CompiledModel(answers[options.accelerator] ?: throw IllegalStateException("no such accelerator"))
    }
}
///
package com.google.mediapipe.framework.image
import android.graphics.Bitmap
class MPImage
class BitmapImageBuilder(bitmap: Bitmap) { fun build() = MPImage() }
///
package com.google.mediapipe.tasks.core
class BaseOptions {
    class Builder { fun setModelAssetPath(name: String) = this; fun build() = BaseOptions() }
    companion object { fun builder() = Builder() }
}
///
package com.google.mediapipe.tasks.vision.imageclassifier
import android.content.Context
import com.google.mediapipe.framework.image.MPImage
import com.google.mediapipe.tasks.core.BaseOptions
class Category { fun score() = 0f; fun index() = 0 }
class Classifications { fun categories() = listOf(Category()) }
class ClassificationResult { fun classifications() = listOf(Classifications()) }
class ImageClassifierResult { fun classificationResult() = ClassificationResult() }
class ImageClassifier {
    class ImageClassifierOptions {
        class Builder {
            fun setBaseOptions(options: BaseOptions) = this
            fun build() = ImageClassifierOptions()
        }
        companion object { fun builder() = Builder() }
    }
    fun classify(image: MPImage) = ImageClassifierResult()
    fun close() {}
    companion object {
        fun createFromOptions(context: Context, options: ImageClassifierOptions): ImageClassifier =
            throw UnsatisfiedLinkError("no MediaPipe")
    }
}
///
package org.kerasvit.app
import android.content.Context
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
const val MODEL = "model.tflite"
class Size(val height: Int, val width: Int)
class ModelFile { val isFloat = true; val preparation = Size(4, 4) }
fun <T, R : Comparable<R>> List<T>.minByOrNull(selector: (T) -> R): T? = sortedBy(selector).firstOrNull()
fun <R : Comparable<R>> FloatArray.maxOf(selector: (Float) -> R): R = map(selector).sorted().last()
fun main() {
    for (line in generateSequence(::readLine)) {
        CompiledModel.answers.clear()
        for (words in line.split(" ").filter { it != "" }.map { it.split("=") }) {
            CompiledModel.answers[Accelerator.valueOf(words[0])] = floatArrayOf(words[1].toFloat(), 0f)
        }
        val report = try {
            Engines(Context(), ModelFile()).report
        } catch (error: Exception) {
            "fails: ${error.message}"
        }
        println(report)
    }
}
"""
