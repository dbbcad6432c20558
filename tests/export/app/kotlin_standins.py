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
class TensorBuffer {
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
