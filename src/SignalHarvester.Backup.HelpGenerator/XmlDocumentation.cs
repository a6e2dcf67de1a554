using System.Text;
using System.Xml.Linq;

namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>The XML documentation file from the compiler, read as plain text for help.</summary>
internal sealed class XmlDocumentation
{
    private readonly Dictionary<string, XElement> members;

    private XmlDocumentation(Dictionary<string, XElement> members) => this.members = members;

    /// <summary>The names of cmdlets by the documentation id of their class, so that a <c>see cref</c> reads as the cmdlet.</summary>
    public IReadOnlyDictionary<string, string> CommandNames { get; set; } = new Dictionary<string, string>();

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    public static XmlDocumentation Load(string path) => new(
        XDocument.Load(path, LoadOptions.PreserveWhitespace)
            .Descendants("member")
            .ToDictionary(m => (string)m.Attribute("name")!, StringComparer.Ordinal));

    /// <summary>Returns the documentation of a member; an empty element if there is none.</summary>
    /// <param name="id">The documentation id, such as <c>T:Namespace.Class</c>.</param>
    public XElement Member(string id) => members.GetValueOrDefault(id) ?? new XElement("member");

    /// <summary>Returns the text of an element as paragraphs; empty if there is none.</summary>
    /// <param name="element">A summary, remarks or the like.</param>
    public IReadOnlyList<string> Paragraphs(XElement? element) => element is null ? [] : Paragraphs(element.Nodes());

    /// <summary>Returns the text of some nodes as paragraphs: one for each <c>para</c>, list item and run of text between them.</summary>
    /// <param name="nodes">The nodes.</param>
    public IReadOnlyList<string> Paragraphs(IEnumerable<XNode> nodes)
    {
        var paragraphs = new List<string>();
        var run = new StringBuilder();
        foreach (var node in nodes)
        {
            if (node is not XElement { Name.LocalName: "para" or "list" } block)
            {
                run.Append(Inline(node));
                continue;
            }

            EndRun();
            paragraphs.AddRange(block.Name.LocalName == "para" ? Paragraphs(block) : Items(block));
        }

        EndRun();
        return paragraphs;

        void EndRun()
        {
            var text = Collapse(run.ToString());
            run.Clear();
            if (text.Length > 0)
            {
                paragraphs.Add(text);
            }
        }
    }

    /// <summary>Returns the code without the indentation that all its lines share.</summary>
    /// <param name="element">A <c>code</c> element.</param>
    public static string Code(XElement element)
    {
        var lines = element.Value.ReplaceLineEndings("\n").Split('\n').Select(l => l.TrimEnd()).ToList();
        var indentation = lines.Where(l => l.Length > 0).Select(l => l.Length - l.TrimStart().Length).DefaultIfEmpty().Min();
        return string.Join('\n', lines.Select(l => l.Length > 0 ? l[indentation..] : l)).Trim('\n');
    }

    private IEnumerable<string> Items(XElement list) =>
        from item in list.Elements("item")
        let parts = new[] { item.Element("term"), item.Element("description") }.OfType<XElement>().DefaultIfEmpty(item)
        select "- " + string.Join(": ", parts.Select(part => string.Join(' ', Paragraphs(part))));

    private string Inline(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" or "seealso" or "paramref" or "typeparamref" } reference => Reference(reference),
        XElement element => string.Concat(element.Nodes().Select(Inline)),
        _ => string.Empty,
    };

    private string Reference(XElement element)
    {
        if (!element.IsEmpty)
        {
            return string.Concat(element.Nodes().Select(Inline));
        }

        var target = (string?)element.Attribute("cref");
        return target is null
            ? (string?)(element.Attribute("href") ?? element.Attribute("langword") ?? element.Attribute("name")) ?? string.Empty
            : CodeReference(target);
    }

    private string CodeReference(string id)
    {
        if (CommandNames.TryGetValue(id, out var command))
        {
            return command;
        }

        var path = id[2..].Split('(')[0];
        var lastDot = path.LastIndexOf('.');
        var isParameter = id.StartsWith("P:", StringComparison.Ordinal) && CommandNames.ContainsKey("T:" + path[..lastDot]);
        return (isParameter ? "-" : string.Empty) + path[(lastDot + 1)..];
    }

    private static string Collapse(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
