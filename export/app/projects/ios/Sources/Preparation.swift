import Foundation

private let one = 4_194_304.0 // the weight 1 where Pillow calculates with whole numbers

/// Pixels of a photo: red, green, blue and one unused level each, row after row.
struct Pixels {
    let levels: [UInt8]
    let width: Int
    let height: Int
}

/// Makes of a photo what the model was trained on, as the fields of `preprocessing` in model.json say: resized with
/// averaging, cropped or with a border.
struct Preparation {
    let fields: ModelFile.Photo

    var height: Int { fields.imageSize[0] }
    var width: Int { fields.imageSize[1] }

    /// Returns red, green and blue, from 0 to 255, of `height * width` pixels.
    func prepare(_ photo: Pixels) -> [UInt8] {
        let spans = self.spans(photo)
        let (rows, columns) = (spans[0], spans[1])
        let wide = resampledRows(photo, columns)
        var result = [UInt8](repeating: 0, count: height * width * 3)
        if fields.cropMode == "border" {
            for i in result.indices { result[i] = border(i % 3) }
        }
        let (top, left) = ((height - rows.count) / 2, (width - columns.count) / 2)
        for (y, tap) in taps(photo.height, rows).enumerated() {
            for x in 0..<(columns.count * 3) {
                var sum = 0.0
                for (i, weight) in tap.weights.enumerated() {
                    sum += weight * Double(wide[(tap.first + i) * columns.count * 3 + x])
                }
                result[((y + top) * width + left) * 3 + x] = UInt8(level(sum))
            }
        }
        return result
    }

    /// Resizes the width of each row; between the two directions Pillow rounds, others do not.
    private func resampledRows(_ photo: Pixels, _ span: Span) -> [Float] {
        var result = [Float](repeating: 0, count: photo.height * span.count * 3)
        for (x, tap) in taps(photo.width, span).enumerated() {
            for y in 0..<photo.height {
                for channel in 0..<3 {
                    var sum = 0.0
                    for (i, weight) in tap.weights.enumerated() {
                        sum += weight * Double(photo.levels[(y * photo.width + tap.first + i) * 4 + channel])
                    }
                    result[(y * span.count + x) * 3 + channel] = Float(fields.rounded ? level(sum) : sum)
                }
            }
        }
        return result
    }

    private func level(_ sum: Double) -> Double {
        let whole = fields.rounded ? (sum / one + 0.5).rounded(.down) : sum.rounded(.toNearestOrEven)
        return min(max(whole, 0), 255)
    }

    private func border(_ channel: Int) -> UInt8 {
        let share = fields.fill ?? fields.mean[channel % fields.mean.count]
        return UInt8((255 * share).rounded(.toNearestOrEven))
    }

    /// To how many rows or columns it is resized, the first that is not cropped, and how many are left.
    private struct Span {
        let resized: Int
        let first: Int
        let count: Int
    }

    private func spans(_ photo: Pixels) -> [Span] {
        let resized = resizedSize([photo.height, photo.width])
        return zip(resized, [height, width]).map { side, last in
            if side <= last { return Span(resized: side, first: 0, count: side) }
            let room = Double(side - last) / 2
            let first = room.rounded(fields.cropMode == "shortest_edge" ? .down : .toNearestOrEven)
            return Span(resized: side, first: Int(first), count: last)
        }
    }

    private func resizedSize(_ photo: [Int]) -> [Int] {
        let scaled = [height, width].map { max(Int((Double($0) / fields.cropRatio).rounded(.down)), 1) }
        if fields.cropMode == "squash" { return scaled }
        if fields.cropMode == "shortest_edge" || (fields.cropMode == "center" && scaled[0] == scaled[1]) {
            let (edge, short) = (min(scaled[0], scaled[1]), min(photo[0], photo[1]))
            return photo.map { $0 == short ? edge : edge * $0 / short }
        }
        let ratios = zip(photo, scaled).map { Double($0) / Double($1) }
        let ratio = fields.cropMode == "border" ? max(ratios[0], ratios[1]) : min(ratios[0], ratios[1])
        return photo.map { max(Int((Double($0) / ratio).rounded(.toNearestOrEven)), 1) }
    }

    /// The first pixel that counts, and the weights from there on.
    private struct Tap {
        let first: Int
        let weights: [Double]
    }

    private func taps(_ side: Int, _ span: Span) -> [Tap] {
        let scale = Double(side) / Double(span.resized)
        let centers = (0..<span.count).map { (Double($0 + span.first) + 0.5) * scale }
        if fields.interpolation == "nearest" {
            return centers.map { Tap(first: Int($0), weights: [fields.rounded ? one : 1]) }
        }
        let reach = ["bilinear": 1.0, "bicubic": 2.0][fields.interpolation] ?? 3.0
        let stretched = max(scale, 1)
        return centers.map { center in
            let start = max(0, Int((center - reach * stretched + 0.5).rounded(.down)))
            let end = min(side, Int((center + reach * stretched + 0.5).rounded(.down)))
            let weights = (start..<end).map { place -> Double in
                let distance = abs(Double(place) - center + 0.5) / stretched
                return distance < reach ? weight(distance) : 0
            }
            let total = weights.reduce(0, +)
            let scaled = weights.map { fields.rounded ? (one * $0 / total + 0.5).rounded(.down) : $0 / total }
            return Tap(first: start, weights: scaled)
        }
    }

    private func weight(_ x: Double) -> Double {
        switch fields.interpolation {
        case "bilinear": return 1 - x
        case "bicubic": return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : -0.5 * (((x - 5) * x + 8) * x - 4)
        default: return sinc(x) * sinc(x / 3)
        }
    }

    private func sinc(_ x: Double) -> Double {
        x == 0 ? 1 : sin(Double.pi * x) / (Double.pi * x)
    }
}
