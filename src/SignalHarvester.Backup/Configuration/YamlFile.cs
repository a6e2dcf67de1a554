using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace SignalHarvester.Backup.Configuration;

/// <summary>
/// Reads YAML into nodes that keep their places. It is the only class that touches YamlDotNet, so that the library loads only
/// if there is a file.
/// </summary>
internal sealed class YamlFile
{
    private const int DeepestNesting = 100;
    private const string MergeKey = "<<";

    private readonly Parser parser;
    private readonly Dictionary<string, ConfigurationNode> anchors = new(StringComparer.Ordinal);

    private YamlFile(string text) => parser = new Parser(new Scanner(new StringReader(text)));

    /// <summary>Reads the only document of a file.</summary>
    /// <param name="text">The file's content.</param>
    /// <returns>The document, without a value for an empty file; or its defect, with the place.</returns>
    public static (ConfigurationNode? Root, (int Line, int Column, string Message)? Fault) Parse(string text)
    {
        try
        {
            return (new YamlFile(text).ReadDocument(), null);
        }
        catch (YamlException exception)
        {
            return (null, ((int)exception.Start.Line, (int)exception.Start.Column, exception.Message));
        }
    }

    private ConfigurationNode ReadDocument()
    {
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out var end))
        {
            return new ConfigurationNode((int)end.Start.Line, (int)end.Start.Column);
        }

        parser.Consume<DocumentStart>();
        var root = ReadNode(depth: 0);
        parser.Consume<DocumentEnd>();
        return parser.TryConsume<DocumentStart>(out var second)
            ? throw new YamlException(second.Start, second.End, "A second document begins here, and only one is allowed.")
            : root;
    }

    private ConfigurationNode ReadNode(int depth)
    {
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return anchors.TryGetValue(alias.Value.Value, out var known)
                ? known
                : throw new YamlException(alias.Start, alias.End, $"There is no anchor '&{alias.Value}' above.");
        }

        var start = parser.Current as NodeEvent ?? throw new YamlException("The file ends too soon.");
        if (depth > DeepestNesting)
        {
            throw new YamlException(start.Start, start.End, "The file is nested too deeply.");
        }

        var (line, column) = ((int)start.Start.Line, (int)start.Start.Column);
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            return Named(start, new ConfigurationNode(line, column) { Text = IsNothing(scalar) ? null : scalar.Value });
        }

        if (parser.TryConsume<SequenceStart>(out _))
        {
            var list = Named(start, new ConfigurationNode(line, column) { Items = [] });
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                list.Items!.Add(ReadNode(depth + 1));
            }

            return list;
        }

        parser.Consume<MappingStart>();
        var map = Named(start, new ConfigurationNode(line, column) { Entries = [] });
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            map.Entries!.Add((ReadNode(depth + 1), ReadNode(depth + 1)));
        }

        Merge(map.Entries!);
        return map;
    }

    private ConfigurationNode Named(NodeEvent start, ConfigurationNode node)
    {
        if (!start.Anchor.IsEmpty)
        {
            anchors[start.Anchor.Value] = node;
        }

        return node;
    }

    /// <summary>
    /// Merges other maps into this one, by the rules of YAML 1.1's merge key: the map's own keys win. A merge key with any other
    /// value stays as it is: an unknown key.
    /// </summary>
    private static void Merge(List<(ConfigurationNode Key, ConfigurationNode Value)> entries)
    {
        foreach (var merged in entries.FindAll(
            entry => entry.Key.Text == MergeKey && Sources(entry.Value).All(source => source.IsNothing || source.Entries is not null)))
        {
            entries.Remove(merged);
            var own = entries.Select(entry => entry.Key.Text).ToHashSet(StringComparer.Ordinal);
            foreach (var source in Sources(merged.Value))
            {
                entries.AddRange(source.Entries?.Where(entry => own.Add(entry.Key.Text)).ToArray() ?? []);
            }
        }

        static IReadOnlyList<ConfigurationNode> Sources(ConfigurationNode value) => value.Items ?? [value];
    }

    private static bool IsNothing(Scalar scalar) =>
        scalar is { Style: ScalarStyle.Plain, Tag.IsEmpty: true, Value: "" or "~" or "null" or "Null" or "NULL" };
}
