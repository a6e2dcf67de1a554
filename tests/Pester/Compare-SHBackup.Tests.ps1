Describe 'Compare-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $backup = New-SHBackup ./app.db
    }
    AfterEach { Exit-Workspace }

    It 'finds nothing where nothing has changed' {
        $backup | Compare-SHBackup | Should -BeNullOrEmpty
        Compare-SHBackup $backup -Difference (New-SHBackup ./app.db) | Should -BeNullOrEmpty
    }

    It 'tells what does not differ where that is asked for' {
        $same = $backup | Compare-SHBackup -IncludeEqual -Table signals
        $same.Change | Should -Be 'None'
        $same.ObjectType | Should -Be 'table'
    }

    It 'takes one later state' {
        { $backup | Compare-SHBackup -Difference $backup -Database ./app.db -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
    }
}
