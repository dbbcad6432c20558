import CoreGraphics
import UIKit

extension Pixels {
    /// The pixels of an upright image on a background of red, green and blue.
    init?(_ image: CGImage, background: [Int]) {
        (width, height) = (image.width, image.height)
        var levels = [UInt8](repeating: 255, count: width * height * 4)
        let isDrawn = levels.withUnsafeMutableBytes { place -> Bool in
            guard let context = rgbContext(place.baseAddress, image.width, image.height) else { return false }
            let area = CGRect(x: 0, y: 0, width: image.width, height: image.height)
            let shares = background.map { CGFloat($0) / 255 }
            context.setFillColor(red: shares[0], green: shares[1], blue: shares[2], alpha: 1)
            context.fill(area)
            context.draw(image, in: area)
            return true
        }
        guard isDrawn else { return nil }
        self.levels = levels
    }
}

/// An image of red, green and blue levels.
func image(of levels: [UInt8], width: Int, height: Int) -> CGImage? {
    var pixels = [UInt8](repeating: 255, count: width * height * 4)
    for i in 0..<(width * height) {
        for channel in 0..<3 { pixels[4 * i + channel] = levels[3 * i + channel] }
    }
    return pixels.withUnsafeMutableBytes { rgbContext($0.baseAddress, width, height)?.makeImage() }
}

/// A photo as it is held; phones store how to turn it.
func upright(_ photo: UIImage) -> CGImage? {
    let format = UIGraphicsImageRendererFormat()
    format.scale = 1
    return UIGraphicsImageRenderer(size: photo.size, format: format).image { _ in photo.draw(at: .zero) }.cgImage
}

private func rgbContext(_ place: UnsafeMutableRawPointer?, _ width: Int, _ height: Int) -> CGContext? {
    CGContext(
        data: place,
        width: width,
        height: height,
        bitsPerComponent: 8,
        bytesPerRow: 4 * width,
        space: CGColorSpace(name: CGColorSpace.sRGB)!,
        bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue
    )
}
