import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "org.kerasvit.app"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.kerasvit.app"
        minSdk = 28 // ImageDecoder, which turns photos upright
        targetSdk = 36
        versionCode = 1
        versionName = "1.0"
    }
    androidResources {
        noCompress += "tflite" // so that the engines map the file instead of copying it
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
    }
}

dependencies {
    implementation("androidx.activity:activity-ktx:1.10.1")
    implementation("androidx.appcompat:appcompat:1.7.1")
    implementation("androidx.camera:camera-camera2:1.5.1")
    implementation("androidx.camera:camera-lifecycle:1.5.1")
    implementation("androidx.camera:camera-view:1.5.1")
    implementation("com.google.ai.edge.litert:litert:2.1.3")
    implementation("com.google.mediapipe:tasks-vision:0.10.29")
}
