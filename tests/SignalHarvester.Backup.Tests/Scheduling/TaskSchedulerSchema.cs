using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using Xunit;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>
/// The structure of a task in Microsoft's documentation (Task Scheduler Schema), as far as our tasks use it: the elements, their
/// order if it is fixed, and the forms of their values.
/// </summary>
internal static class TaskSchedulerSchema
{
    private const string Namespace = "http://schemas.microsoft.com/windows/2004/02/mit/task";

    private const string Schema = """
        <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"
                   targetNamespace="http://schemas.microsoft.com/windows/2004/02/mit/task" elementFormDefault="qualified">
          <xs:element name="Task">
            <xs:complexType>
              <xs:all>
                <xs:element name="RegistrationInfo" minOccurs="0"><xs:complexType><xs:all>
                  <xs:element name="URI" type="xs:anyURI" minOccurs="0"/>
                  <xs:element name="Author" type="xs:string" minOccurs="0"/>
                  <xs:element name="Description" type="xs:string" minOccurs="0"/>
                </xs:all></xs:complexType></xs:element>
                <xs:element name="Triggers"><xs:complexType><xs:choice maxOccurs="48">
                  <xs:element name="BootTrigger"><xs:complexType><xs:complexContent><xs:extension base="trigger"><xs:sequence>
                    <xs:element name="Delay" type="xs:duration" minOccurs="0"/>
                  </xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>
                  <xs:element name="LogonTrigger"><xs:complexType><xs:complexContent><xs:extension base="trigger"><xs:sequence>
                    <xs:element name="UserId" type="xs:string" minOccurs="0"/>
                    <xs:element name="Delay" type="xs:duration" minOccurs="0"/>
                  </xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>
                  <xs:element name="TimeTrigger"><xs:complexType><xs:complexContent><xs:extension base="trigger"><xs:sequence>
                    <xs:element name="RandomDelay" type="xs:duration" minOccurs="0"/>
                  </xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>
                  <xs:element name="CalendarTrigger"><xs:complexType><xs:complexContent><xs:extension base="trigger"><xs:sequence>
                    <xs:element name="RandomDelay" type="xs:duration" minOccurs="0"/>
                    <xs:element name="ScheduleByDay"><xs:complexType><xs:all><xs:element name="DaysInterval" minOccurs="0"><xs:simpleType>
                      <xs:restriction base="xs:unsignedInt"><xs:minInclusive value="1"/><xs:maxInclusive value="365"/></xs:restriction>
                    </xs:simpleType></xs:element></xs:all></xs:complexType></xs:element>
                  </xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>
                </xs:choice></xs:complexType></xs:element>
                <xs:element name="Principals"><xs:complexType><xs:sequence><xs:element name="Principal"><xs:complexType>
                  <xs:all>
                    <xs:element name="UserId" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction></xs:simpleType></xs:element>
                    <xs:element name="LogonType" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="S4U"/><xs:enumeration value="Password"/><xs:enumeration value="InteractiveToken"/></xs:restriction></xs:simpleType></xs:element>
                    <xs:element name="RunLevel" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="LeastPrivilege"/><xs:enumeration value="HighestAvailable"/></xs:restriction></xs:simpleType></xs:element>
                  </xs:all>
                  <xs:attribute name="id" type="xs:ID"/>
                </xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
                <xs:element name="Settings" minOccurs="0"><xs:complexType><xs:all>
                  <xs:element name="DisallowStartIfOnBatteries" type="xs:boolean" minOccurs="0"/>
                  <xs:element name="StopIfGoingOnBatteries" type="xs:boolean" minOccurs="0"/>
                  <xs:element name="StartWhenAvailable" type="xs:boolean" minOccurs="0"/>
                  <xs:element name="Enabled" type="xs:boolean" minOccurs="0"/>
                  <xs:element name="ExecutionTimeLimit" type="xs:duration" minOccurs="0"/>
                  <xs:element name="RestartOnFailure" minOccurs="0"><xs:complexType><xs:all>
                    <xs:element name="Interval" type="xs:duration"/>
                    <xs:element name="Count"><xs:simpleType>
                      <xs:restriction base="xs:unsignedByte"><xs:minInclusive value="1"/></xs:restriction>
                    </xs:simpleType></xs:element>
                  </xs:all></xs:complexType></xs:element>
                  <xs:element name="MultipleInstancesPolicy" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
                    <xs:enumeration value="Parallel"/><xs:enumeration value="Queue"/><xs:enumeration value="IgnoreNew"/><xs:enumeration value="StopExisting"/>
                  </xs:restriction></xs:simpleType></xs:element>
                </xs:all></xs:complexType></xs:element>
                <xs:element name="Actions"><xs:complexType>
                  <xs:sequence><xs:element name="Exec"><xs:complexType><xs:all>
                    <xs:element name="Command" type="xs:string"/>
                    <xs:element name="Arguments" type="xs:string" minOccurs="0"/>
                    <xs:element name="WorkingDirectory" type="xs:string" minOccurs="0"/>
                  </xs:all></xs:complexType></xs:element></xs:sequence>
                  <xs:attribute name="Context" type="xs:IDREF"/>
                </xs:complexType></xs:element>
              </xs:all>
              <xs:attribute name="version"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="\d+(\.\d+){1,3}"/></xs:restriction></xs:simpleType></xs:attribute>
            </xs:complexType>
          </xs:element>
          <xs:complexType name="trigger" abstract="true">
            <xs:sequence>
              <xs:element name="Enabled" type="xs:boolean" minOccurs="0"/>
              <xs:element name="StartBoundary" type="xs:dateTime" minOccurs="0"/>
              <xs:element name="EndBoundary" type="xs:dateTime" minOccurs="0"/>
              <xs:element name="Repetition" minOccurs="0"><xs:complexType><xs:all>
                <xs:element name="Interval" type="xs:duration"/>
                <xs:element name="Duration" type="xs:duration" minOccurs="0"/>
                <xs:element name="StopAtDurationEnd" type="xs:boolean" minOccurs="0"/>
              </xs:all></xs:complexType></xs:element>
              <xs:element name="ExecutionTimeLimit" type="xs:duration" minOccurs="0"/>
            </xs:sequence>
          </xs:complexType>
        </xs:schema>
        """;

    /// <summary>Parses a task; fails the test if it differs from the documentation, or does not declare its UTF-16.</summary>
    public static XDocument Validate(string xml)
    {
        Assert.StartsWith("<?xml version=\"1.0\" encoding=\"utf-16\"?>", xml, StringComparison.Ordinal);
        var set = new XmlSchemaSet();
        set.Add(Namespace, XmlReader.Create(new StringReader(Schema)));
        var task = XDocument.Parse(xml);
        task.Validate(set, (_, problem) => Assert.Fail(problem.Message));
        return task;
    }

    /// <summary>Returns the value of the only element of a name; null if there is none.</summary>
    public static string? Value(XDocument task, string name) => task.Descendants(XName.Get(name, Namespace)).SingleOrDefault()?.Value;
}
