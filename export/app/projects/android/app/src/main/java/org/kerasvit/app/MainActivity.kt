package org.kerasvit.app

import android.Manifest
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.ImageDecoder
import android.graphics.Matrix
import android.net.Uri
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.ImageView
import android.widget.TextView
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts
import androidx.appcompat.app.AppCompatActivity
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageProxy
import androidx.camera.core.Preview
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.view.PreviewView
import androidx.core.content.ContextCompat
import java.util.concurrent.Executors

private const val SHOWN = 3 // classes

/** Shows what the model answers to the frames of the camera, or to a photo. */
class MainActivity : AppCompatActivity() {
    private val worker = Executors.newSingleThreadExecutor() // engines run one photo at a time
    private lateinit var file: ModelFile
    private lateinit var answers: TextView
    private var engines: Engines? = null
    private var cameras: ProcessCameraProvider? = null

    private val permission = registerForActivityResult(ActivityResultContracts.RequestPermission()) { isGranted ->
        if (isGranted) startCamera() else say(getString(R.string.camera_refused))
    }
    private val picker = registerForActivityResult(ActivityResultContracts.PickVisualMedia()) { photo ->
        if (photo != null) showPhoto(photo)
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.activity_main)
        answers = findViewById(R.id.answers)
        findViewById<Button>(R.id.camera_button).setOnClickListener { askForCamera() }
        findViewById<Button>(R.id.photo_button).setOnClickListener {
            picker.launch(PickVisualMediaRequest(ActivityResultContracts.PickVisualMedia.ImageOnly))
        }
        worker.execute(::openModel)
    }

    private fun openModel() {
        try {
            file = ModelFile(this)
            val opened = Engines(this, file)
            engines = opened
            runOnUiThread {
                findViewById<TextView>(R.id.times).text = opened.report
                askForCamera()
            }
        } catch (error: Exception) {
            say(getString(R.string.no_engine, error.message))
        }
    }

    private fun askForCamera() {
        val isGranted = ContextCompat.checkSelfPermission(this, Manifest.permission.CAMERA)
        when {
            !packageManager.hasSystemFeature(PackageManager.FEATURE_CAMERA_ANY) -> say(getString(R.string.no_camera))
            isGranted == PackageManager.PERMISSION_GRANTED -> startCamera()
            else -> permission.launch(Manifest.permission.CAMERA)
        }
    }

    private fun startCamera() {
        findViewById<ImageView>(R.id.photo).visibility = View.GONE
        val future = ProcessCameraProvider.getInstance(this)
        future.addListener({
            try {
                bindCamera(future.get())
            } catch (error: Exception) {
                say(getString(R.string.camera_failed, error.message))
            }
        }, ContextCompat.getMainExecutor(this))
    }

    private fun bindCamera(provider: ProcessCameraProvider) {
        cameras = provider
        val back = CameraSelector.DEFAULT_BACK_CAMERA
        val camera = if (provider.hasCamera(back)) back else CameraSelector.DEFAULT_FRONT_CAMERA
        if (!provider.hasCamera(camera)) return say(getString(R.string.no_camera))
        val preview = Preview.Builder().build()
        preview.setSurfaceProvider(findViewById<PreviewView>(R.id.preview).surfaceProvider)
        val frames = ImageAnalysis.Builder()
            .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
            .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
            .build()
        frames.setAnalyzer(worker) { frame -> frame.use { classify(upright(it)) } }
        provider.unbindAll()
        provider.bindToLifecycle(this, camera, preview, frames)
    }

    /** A frame comes as the sensor lies: it is turned as the phone is held. */
    private fun upright(frame: ImageProxy): Bitmap {
        val turned = Matrix().apply { postRotate(frame.imageInfo.rotationDegrees.toFloat()) }
        return Bitmap.createBitmap(frame.toBitmap(), 0, 0, frame.width, frame.height, turned, true)
    }

    private fun showPhoto(address: Uri) {
        cameras?.unbindAll()
        worker.execute {
            try {
                val photo = ImageDecoder.decodeBitmap(ImageDecoder.createSource(contentResolver, address)) { it, _, _ ->
                    it.allocator = ImageDecoder.ALLOCATOR_SOFTWARE // so that its pixels can be read
                }
                val opaque = Bitmap.createBitmap(photo.width, photo.height, Bitmap.Config.ARGB_8888)
                Canvas(opaque).apply {
                    drawColor(file.background)
                    drawBitmap(photo, 0f, 0f, null)
                }
                runOnUiThread {
                    findViewById<ImageView>(R.id.photo).apply {
                        setImageBitmap(opaque)
                        visibility = View.VISIBLE
                    }
                }
                classify(opaque)
            } catch (error: Exception) {
                say(getString(R.string.no_photo, error.message))
            }
        }
    }

    private fun classify(photo: Bitmap) {
        val engine = engines?.best ?: return
        val pixels = IntArray(photo.width * photo.height)
        photo.getPixels(pixels, 0, photo.width, 0, 0, photo.width, photo.height)
        val levels = file.preparation.prepare(pixels, photo.width, photo.height)
        val started = System.nanoTime()
        val found = try {
            engine.answers(levels)
        } catch (error: Exception) {
            return say(getString(R.string.no_engine, error.message))
        }
        say("%s\n%.1f ms".format(words(found), (System.nanoTime() - started) / 1e6))
    }

    /** The best classes, the labels that hold, or the numbers: as the task of the model is. */
    private fun words(found: FloatArray): String {
        val names = file.labels ?: found.indices.map(Int::toString)
        if (file.task == "regression") return found.indices.joinToString("\n") { "${names[it]} ${found[it]}" }
        val least = file.thresholds ?: if (file.task == "labels") List(found.size) { 0.5 } else null
        var order = found.indices.sortedByDescending { found[it] }
        if (least != null) order = order.filter { found[it] >= least[it] }
        val isNone = order.isEmpty() || found.maxOf { it } < file.noneBelow
        val lines = order.take(SHOWN).map { names[it] + " %.1f %%".format(100 * found[it]) }
        return ((if (isNone) listOf(getString(R.string.none)) else listOf()) + lines).joinToString("\n")
    }

    private fun say(text: String) = runOnUiThread { answers.text = text }

    override fun onDestroy() {
        super.onDestroy()
        worker.execute { engines?.close() }
        worker.shutdown()
    }
}
