using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Xml.Linq;

namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>
/// Makes the help of a module's cmdlets from two sources: PowerShell, with the module imported, knows syntax and types, and the XML
/// documentation of the cmdlet classes has the words.
/// </summary>
/// <param name="documentation">The words.</param>
internal sealed class CommandReader(XmlDocumentation documentation)
{
    private const int ExamplesWanted = 2;

    private static readonly Dictionary<string, string> ShouldProcessParameters = new(StringComparer.Ordinal)
    {
        ["WhatIf"] = "Shows what would happen if the cmdlet ran. The cmdlet does not run.",
        ["Confirm"] = "Asks for confirmation before the cmdlet changes anything.",
    };

    private readonly List<string> gaps = [];

    /// <summary>What is missing in the sources, one sentence each with the cmdlet's name.</summary>
    public IReadOnlyList<string> Gaps => gaps;

    /// <summary>Reads all cmdlets of a module, by name.</summary>
    /// <param name="manifest">The manifest of the built module.</param>
    /// <exception cref="RuntimeException">The module cannot be imported.</exception>
    public IReadOnlyList<CommandHelp> Read(string manifest)
    {
        using var runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using var shell = PowerShell.Create(runspace);
        shell.AddCommand("Import-Module")
            .AddParameter("Name", Path.GetFullPath(manifest))
            .AddParameter("PassThru")
            .AddParameter("ErrorAction", ActionPreference.Stop);
        var module = (PSModuleInfo)shell.Invoke()[0].BaseObject;
        var cmdlets = module.ExportedCmdlets.Values.OrderBy(c => c.Name, StringComparer.Ordinal).ToList();

        documentation.CommandNames = cmdlets.ToDictionary(c => TypeId(c.ImplementingType), c => c.Name, StringComparer.Ordinal);

        // Metadata and defaults are read on this runspace's own thread, because they may run code of the module.
        Runspace.DefaultRunspace = runspace;
        return [.. cmdlets.Select(Read)];
    }

    private static string TypeId(Type type) => "T:" + type.FullName!.Replace('+', '.');

    private CommandHelp Read(CmdletInfo cmdlet)
    {
        var words = documentation.Member(TypeId(cmdlet.ImplementingType));
        var parameters = ReadParameters(cmdlet);
        var help = new CommandHelp(
            cmdlet.Name,
            string.Join(' ', documentation.Paragraphs(words.Element("summary"))),
            documentation.Paragraphs(words.Element("remarks")),
            [.. cmdlet.ParameterSets.OrderByDescending(s => s.IsDefault).Select(s => ReadSet(cmdlet, s, parameters))],
            [.. parameters.Values.OrderBy(p => p.Name, StringComparer.Ordinal)],
            [.. words.Elements("example").Select(ReadExample)],
            [.. ReadInputs(cmdlet)],
            [.. cmdlet.OutputType.Select(o => o.Name).Distinct()],
            [.. words.Elements("seealso").Select(ReadLink)]);
        FindGaps(help);
        return help;
    }

    private void FindGaps(CommandHelp help)
    {
        Want(help.Synopsis.Length > 0, "has no synopsis: give its class a <summary>.");
        Want(help.Description.Count > 0, "has no description: give its class <remarks>.");
        Want(help.Links.Count > 0, "has no related links: give its class <seealso>.");
        Want(
            help.Examples.Count >= ExamplesWanted, $"has {help.Examples.Count} of the {ExamplesWanted} examples it must have: give its class more <example>s.");
        foreach (var (example, number) in help.Examples.Select((e, i) => (e, i + 1)))
        {
            Want(example.Title.Length > 0, $"example {number} has no title: start the <example> with a <para>.");
            Want(example.Code.Length > 0, $"example {number} has no <code>.");
        }

        foreach (var parameter in help.Parameters)
        {
            Want(parameter.Description.Count > 0, $"parameter -{parameter.Name} has no description: give the property a <summary>.");
        }

        void Want(bool met, string what)
        {
            if (!met)
            {
                gaps.Add($"{help.Name} {what}");
            }
        }
    }

    private Dictionary<string, ParameterHelp> ReadParameters(CmdletInfo cmdlet)
    {
        var instance = Activator.CreateInstance(cmdlet.ImplementingType)!;
        var groups = ((instance as IDynamicParameters)?.GetDynamicParameters() as RuntimeDefinedParameterDictionary)?.Data as IEnumerable<object> ?? [];
        var result = new Dictionary<string, ParameterHelp>(StringComparer.Ordinal);
        foreach (var (name, metadata) in cmdlet.Parameters)
        {
            if (Cmdlet.CommonParameters.Contains(name))
            {
                continue;
            }

            var (property, owner) = groups.Prepend(instance)
                .Select(one => (Property: one.GetType().GetProperty(name), Owner: one))
                .FirstOrDefault(one => one.Property is not null);
            var sets = metadata.ParameterSets.Values.ToList();
            result[name] = new ParameterHelp(
                name,
                TypeName(metadata.ParameterType),
                metadata.SwitchParameter,
                ShouldProcessParameters.TryGetValue(name, out var standard) ? [standard] : Describe(property, metadata),
                AllowedValues(metadata),
                property is null ? string.Empty : DefaultText(property.GetValue(owner)),
                sets.TrueForAll(s => s.IsMandatory),
                sets.Max(s => s.Position) is var position and >= 0 ? position.ToString(CultureInfo.InvariantCulture) : "named",
                PipelineInput(sets.Exists(s => s.ValueFromPipeline), sets.Exists(s => s.ValueFromPipelineByPropertyName)),
                metadata.Attributes.OfType<SupportsWildcardsAttribute>().Any(),
                metadata.Aliases);
        }

        return result;
    }

    private IReadOnlyList<string> Describe(PropertyInfo? property, ParameterMetadata metadata)
    {
        if (property is null)
        {
            return [];
        }

        var words = documentation.Member($"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}");
        var summary = documentation.Paragraphs(words.Element("summary"));
        return summary.Count == 0
            ? []
            : [.. summary, .. documentation.Paragraphs(words.Element("remarks")), .. Limits(metadata)];
    }

    private static IEnumerable<string> Limits(ParameterMetadata metadata)
    {
        if (AllowedValues(metadata) is { Length: > 0 } values)
        {
            yield return $"Possible values: {string.Join(", ", values)}.";
        }

        foreach (var range in metadata.Attributes.OfType<ValidateRangeAttribute>().Where(r => r.MinRange is not null))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Possible values: {range.MinRange} to {range.MaxRange}.");
        }
    }

    private static string[] AllowedValues(ParameterMetadata metadata)
    {
        var type = ValueType(metadata.ParameterType);
        return metadata.Attributes.OfType<ValidateSetAttribute>().FirstOrDefault() is { } set ? [.. set.ValidValues]
            : type.IsEnum ? Enum.GetNames(type)
            : [];
    }

    private static Type ValueType(Type type)
    {
        var single = type.IsArray ? type.GetElementType()! : type;
        return Nullable.GetUnderlyingType(single) ?? single;
    }

    private static string TypeName(Type type) => ValueType(type).Name + (type.IsArray ? "[]" : string.Empty);

    private static string DefaultText(object? value) => value switch
    {
        null => "None",
        SwitchParameter or bool => value.ToString()!,
        string text => text.Length > 0 ? text : "None",
        Enum name => name.ToString(),
        IEnumerable items => string.Join(", ", items.Cast<object>()) is { Length: > 0 } list ? list : "None",
        ValueType number when number.Equals(Activator.CreateInstance(number.GetType())) => "None",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "None",
    };

    private static string PipelineInput(bool byValue, bool byPropertyName) => (byValue, byPropertyName) switch
    {
        (true, true) => "true (ByValue, ByPropertyName)",
        (true, false) => "true (ByValue)",
        (false, true) => "true (ByPropertyName)",
        _ => "false",
    };

    private static ParameterSetHelp ReadSet(CmdletInfo cmdlet, CommandParameterSetInfo set, Dictionary<string, ParameterHelp> parameters)
    {
        var inOrder = set.Parameters
            .Where(p => parameters.ContainsKey(p.Name))
            .OrderBy(p => p.Position < 0 ? int.MaxValue : p.Position)
            .ThenByDescending(p => p.IsMandatory)
            .ThenBy(p => ShouldProcessParameters.ContainsKey(p.Name))
            .Select(p => parameters[p.Name] with
            {
                IsMandatory = p.IsMandatory,
                Position = p.Position >= 0 ? p.Position.ToString(CultureInfo.InvariantCulture) : "named",
                PipelineInput = PipelineInput(p.ValueFromPipeline, p.ValueFromPipelineByPropertyName),
            })
            .ToList();
        return new ParameterSetHelp(set.Name, string.Join(' ', inOrder.Select(SyntaxOf).Prepend(cmdlet.Name).Append("[<CommonParameters>]")), inOrder);
    }

    private static string SyntaxOf(ParameterHelp parameter)
    {
        var name = parameter.Position == "named" ? $"-{parameter.Name}" : $"[-{parameter.Name}]";
        var value = parameter.Values.Count > 0 ? $"{{{string.Join(" | ", parameter.Values)}}}" : $"<{parameter.Type}>";
        var whole = parameter.IsSwitch ? $"-{parameter.Name}" : $"{name} {value}";
        return parameter.IsMandatory ? whole : $"[{whole}]";
    }

    private ExampleHelp ReadExample(XElement example)
    {
        var nodes = example.Nodes().ToList();
        var first = nodes.FindIndex(IsCode);
        var last = nodes.FindLastIndex(IsCode);
        return first < 0
            ? new ExampleHelp(string.Join(' ', documentation.Paragraphs(nodes)), string.Empty, [])
            : new ExampleHelp(
                string.Join(' ', documentation.Paragraphs(nodes[..first])),
                string.Join("\n", nodes[first..(last + 1)].OfType<XElement>().Where(IsCode).Select(XmlDocumentation.Code)),
                documentation.Paragraphs(nodes[(last + 1)..]));

        static bool IsCode(XNode node) => node is XElement { Name.LocalName: "code" };
    }

    private LinkHelp ReadLink(XElement link)
    {
        var uri = (string?)link.Attribute("href") ?? string.Empty;
        return new LinkHelp(string.Join(' ', documentation.Paragraphs([link])), uri);
    }

    private static IEnumerable<InputHelp> ReadInputs(CmdletInfo cmdlet) =>
        from parameter in cmdlet.Parameters.Values
        where parameter.ParameterSets.Values.Any(s => s.ValueFromPipeline)
        orderby parameter.Name
        select new InputHelp(ValueType(parameter.ParameterType).FullName!, parameter.Name);
}
