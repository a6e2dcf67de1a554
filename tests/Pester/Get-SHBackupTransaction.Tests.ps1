Describe 'Get-SHBackupTransaction' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'says that a store has no stream, and that a store is needed' {
        New-SHBackup ./app.db | Send-SHBackup -To ./offsite -CreateContainer | Out-Null
        { Get-SHBackupTransaction -From ./offsite -ErrorAction Stop } | Should -Throw -ErrorId 'TransactionNotFound,*'
        { Get-SHBackupTransaction -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
        { Restore-SHBackup -Transaction 1 -Destination ./new.db -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
    }
}
