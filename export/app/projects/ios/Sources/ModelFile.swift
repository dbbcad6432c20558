import Foundation

/// What model.json says of the model: nothing of it stands in the code.
struct ModelFile: Decodable {
    struct Input: Decodable {
        let dtype: String
    }

    struct Output: Decodable {
        let task: String
        let thresholds: [Float]?
        let noneBelow: Float?
    }

    struct Photo: Decodable {
        let imageSize: [Int]
        let cropRatio: Double
        let cropMode: String
        let interpolation: String
        let mean: [Double]
        let rounded: Bool
        let fill: Double?
        let background: [Int]
    }

    let inputs: [Input]
    let outputs: [Output]
    let labelNames: [String]?
    let preprocessing: Photo

    /// The file that the export writes next to the model.
    static func read() throws -> ModelFile {
        guard let place = Bundle.main.url(forResource: "model", withExtension: "json") else {
            throw CocoaError(.fileNoSuchFile)
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(ModelFile.self, from: Data(contentsOf: place))
    }

    /// The best classes, the labels that hold, or the numbers: as the task of the model is.
    func words(_ found: [Float], shown: Int = 3) -> String {
        let output = outputs[0]
        let names = labelNames ?? found.indices.map(String.init)
        if output.task == "regression" {
            return found.indices.map { "\(names[$0]) \(found[$0])" }.joined(separator: "\n")
        }
        let least = output.thresholds ?? (output.task == "labels" ? found.map { _ in 0.5 } : nil)
        var order = found.indices.sorted { found[$0] > found[$1] }
        if let least { order = order.filter { found[$0] >= least[$0] } }
        let isNone = order.isEmpty || (found.max() ?? 0) < (output.noneBelow ?? 0)
        let lines = order.prefix(shown).map { "\(names[$0]) \(String(format: "%.1f %%", 100 * found[$0]))" }
        return ((isNone ? ["Probably none of these."] : []) + lines).joined(separator: "\n")
    }
}
