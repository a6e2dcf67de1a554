using System.Management.Automation;
using SignalHarvester.Backup.HelpGenerator;

// MSBuild shows lines of this form as its own errors.
const string ErrorPrefix = "HelpGenerator : error SHHELP: ";

if (args is ["messages", var assembly, var words])
{
    HelpMessageWriter.Write(assembly, XmlDocumentation.Load(words));
    return 0;
}

if (args is not [var template, var changes, var repository, var manifest, var documentation, var helpFile, var markdownFolder])
{
    Console.Error.WriteLine(
        ErrorPrefix
        + "usage: TEMPLATE CHANGE-LOG REPOSITORY-URL MANIFEST XML-DOCUMENTATION HELP-FILE MARKDOWN-DIRECTORY, or messages ASSEMBLY XML-DOCUMENTATION");
    return 2;
}

ManifestWriter.Write(template, manifest, "en-US/" + Path.GetFileName(helpFile), repository, changes);

var reader = new CommandReader(XmlDocumentation.Load(documentation));
IReadOnlyList<CommandHelp> commands;
try
{
    commands = reader.Read(manifest);
}
catch (RuntimeException exception)
{
    Console.Error.WriteLine($"{ErrorPrefix}the module just built cannot be imported: {exception.Message}");
    return 1;
}

foreach (var gap in reader.Gaps)
{
    Console.Error.WriteLine(ErrorPrefix + gap);
}

if (reader.Gaps.Count > 0)
{
    return 1;
}

MamlWriter.Write(commands, helpFile);
MarkdownWriter.Write(commands, markdownFolder);
return 0;
