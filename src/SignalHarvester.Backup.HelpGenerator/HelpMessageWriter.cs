using Mono.Cecil;

namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>
/// Gives every parameter in a compiled assembly its help message: the first sentence of its XML documentation. PowerShell shows it beside
/// the parameter when Tab is pressed, and when it asks for a mandatory one. An attribute cannot refer to the documentation, and texts that
/// stand twice would part in time.
/// </summary>
internal static class HelpMessageWriter
{
    private const string ParameterAttribute = "System.Management.Automation.ParameterAttribute";
    private const string HelpMessage = "HelpMessage";

    /// <summary>Changes the assembly's file.</summary>
    /// <param name="assembly">The file, as the compiler wrote it.</param>
    /// <param name="documentation">The words.</param>
    public static void Write(string assembly, XmlDocumentation documentation)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(System.Management.Automation.PSObject).Assembly.Location));
        using var module = ModuleDefinition.ReadModule(
            assembly, new ReaderParameters { ReadWrite = true, InMemory = true, ReadSymbols = true, AssemblyResolver = resolver });
        foreach (var property in module.GetTypes().SelectMany(type => type.Properties))
        {
            foreach (var attribute in property.CustomAttributes.Where(attribute =>
                attribute.AttributeType.FullName == ParameterAttribute && !attribute.Properties.Any(named => named.Name == HelpMessage)))
            {
                var words = documentation.Member($"P:{property.DeclaringType.FullName.Replace('/', '.')}.{property.Name}").Element("summary");
                if (documentation.Paragraphs(words) is [var first, ..])
                {
                    attribute.Properties.Add(new CustomAttributeNamedArgument(
                        HelpMessage, new CustomAttributeArgument(module.TypeSystem.String, FirstSentence(first))));
                }
            }
        }

        module.Write(assembly, new WriterParameters { WriteSymbols = true });
    }

    private static string FirstSentence(string text)
    {
        var end = text.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? text : text[..(end + 1)];
    }
}
